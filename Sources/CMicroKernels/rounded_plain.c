// Any processor: vectors of 128 bits, which all have. Without fused multiply-adds the C library computes them, slowly.
#include "build_target.h"
#include "rounded_kernels.h"

#define VECTOR_LANES 4
#define BLOCK_ROWS 2
#define BLOCK_VECTORS 2
#include "rounded_blocks.h"

const struct ddpm_rounded_kernel ddpm_plain_rounded_kernel = {"plain C", 0, multiply};
