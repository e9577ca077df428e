// What the kernels may use, decided by the compiler flags that all numeric targets share (see Package.swift).
#pragma once

/// Width in bits of the vectors that the kernels are written for on this target.
#if defined(__AVX512F__)
#define DDPM_VECTOR_BITS 512
#elif defined(__AVX__)
#define DDPM_VECTOR_BITS 256
#else
#define DDPM_VECTOR_BITS 128
#endif

/// The instruction sets that code for this build may contain, one bit each.
enum ddpm_processor_feature {
  DDPM_FEATURE_AVX = 1 << 0,
  DDPM_FEATURE_AVX2 = 1 << 1,
  DDPM_FEATURE_FMA = 1 << 2,
  DDPM_FEATURE_BMI2 = 1 << 3,
  DDPM_FEATURE_F16C = 1 << 4,
  DDPM_FEATURE_AVX512F = 1 << 5,
  DDPM_FEATURE_AVX512BW = 1 << 6,
  DDPM_FEATURE_AVX512DQ = 1 << 7,
  DDPM_FEATURE_AVX512VL = 1 << 8,
  DDPM_FEATURE_AVX512VBMI = 1 << 9,
  DDPM_FEATURE_AVX512VNNI = 1 << 10,
  DDPM_FEATURE_AVX512BF16 = 1 << 11,
  DDPM_FEATURE_AVX512FP16 = 1 << 12,
};

/// Data only, never code: it must be readable on a processor that lacks these features.
extern const unsigned ddpm_build_features;
