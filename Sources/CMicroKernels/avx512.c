// AVX-512: 32 registers of 16 floats. With 48 columns, 24 of them are sums, and each iteration performs 24
// multiply-adds with 11 loads. The load units keep up with this even if B streams from the second-level cache.
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
