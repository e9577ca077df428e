// AVX-512: of 32 registers, 16 hold the even and odd sums of 4 rows by 32 columns, and 8 their totals.
#if defined(__x86_64__)
#include "build_target.h"
#include "rounded_kernels.h"

#define VECTOR_LANES 16
#define BLOCK_ROWS 4
#define BLOCK_VECTORS 2
#pragma clang attribute push(__attribute__((target("avx512f"))), apply_to = function)
#include "rounded_blocks.h"
#pragma clang attribute pop

const struct ddpm_rounded_kernel ddpm_avx512_rounded_kernel = {"AVX-512", DDPM_FEATURE_AVX512F, multiply};
#endif
