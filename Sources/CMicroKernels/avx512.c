// AVX-512: 32 registers of 16 floats. With 48 columns 24 of them are sums, and each step of the loop makes 24
// multiply-adds of 11 loads, which the load units keep up with even when B streams from the second-level cache.
#if defined(__x86_64__)
#include "build_target.h"
#include "micro_kernels.h"

#define VECTOR_LANES 16
#define BLOCK_ROWS 8
#define BLOCK_VECTORS 3
#pragma clang attribute push(__attribute__((target("avx512f,prfchw"))), apply_to = function)
#include "register_blocks.h"
#pragma clang attribute pop

const struct ddpm_micro_kernel ddpm_avx512_kernel = {
    "AVX-512", DDPM_FEATURE_AVX512F, multiply, multiply_patches, add_precise,
};
#endif
