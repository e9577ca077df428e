// The features that kernels may use, determined by the compiler flags that all numeric targets share (see
// Package.swift).
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

/// Sixteen floats, as in Swift's SIMD16<Float>.
typedef float ddpm_sixteen_floats __attribute__((ext_vector_type(16)));

// Their arithmetic. Swift's own operators work lane by lane, and the compiler recombines them only in halves.
#define DDPM_VECTOR_FUNCTION static inline __attribute__((always_inline)) ddpm_sixteen_floats

DDPM_VECTOR_FUNCTION ddpm_add(ddpm_sixteen_floats a, ddpm_sixteen_floats b) { return a + b; }
DDPM_VECTOR_FUNCTION ddpm_subtract(ddpm_sixteen_floats a, ddpm_sixteen_floats b) { return a - b; }
DDPM_VECTOR_FUNCTION ddpm_multiply(ddpm_sixteen_floats a, ddpm_sixteen_floats b) { return a * b; }
DDPM_VECTOR_FUNCTION ddpm_divide(ddpm_sixteen_floats a, ddpm_sixteen_floats b) { return a / b; }

/// a * b + sum, rounded once.
DDPM_VECTOR_FUNCTION ddpm_add_product(ddpm_sixteen_floats sum, ddpm_sixteen_floats a, ddpm_sixteen_floats b) {
  return __builtin_elementwise_fma(a, b, sum);
}

/// Eight doubles, as in Swift's SIMD8<Double>.
typedef double ddpm_eight_doubles __attribute__((ext_vector_type(8)));

/// a * b + sum, rounded once.
static inline __attribute__((always_inline)) ddpm_eight_doubles ddpm_add_product_of_doubles(
    ddpm_eight_doubles sum, ddpm_eight_doubles a, ddpm_eight_doubles b) {
  return __builtin_elementwise_fma(a, b, sum);
}
