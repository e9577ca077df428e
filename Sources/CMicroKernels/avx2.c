// AVX2 with FMA: 16 registers of 8 floats, half of which hold the sums of 4 rows by 16 columns. With 24 columns the
// compiler would run out of registers, which would halve the speed.
#if defined(__x86_64__)
#include "build_target.h"
#include "micro_kernels.h"

#define VECTOR_LANES 8
#define BLOCK_ROWS 4
#define BLOCK_VECTORS 2
#pragma clang attribute push(__attribute__((target("avx2,fma,prfchw"))), apply_to = function)
#include "register_blocks.h"
#pragma clang attribute pop

const struct ddpm_micro_kernel ddpm_avx2_kernel = {
    "AVX2", DDPM_FEATURE_AVX2 | DDPM_FEATURE_FMA, multiply, multiply_patches, add_precise,
};
#endif
