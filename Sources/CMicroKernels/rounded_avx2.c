// AVX2 with FMA: of 16 registers, 8 hold the even and odd sums of 2 rows by 16 columns.
#if defined(__x86_64__)
#include "build_target.h"
#include "rounded_kernels.h"

#define VECTOR_LANES 8
#define BLOCK_ROWS 2
#define BLOCK_VECTORS 2
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "rounded_blocks.h"
#pragma clang attribute pop

const struct ddpm_rounded_kernel ddpm_avx2_rounded_kernel = {
    "AVX2", DDPM_FEATURE_AVX2 | DDPM_FEATURE_FMA, multiply,
};
#endif
