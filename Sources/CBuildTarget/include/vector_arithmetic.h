// Vectors of a fixed width, whatever the registers of the target.
#pragma once

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

/// Sixteen numbers of 32 and of 16 bits, as in Swift's SIMD16<UInt32> and SIMD16<UInt16>.
typedef unsigned ddpm_sixteen_words __attribute__((ext_vector_type(16)));
typedef unsigned short ddpm_sixteen_halves __attribute__((ext_vector_type(16)));

/// The nearest numbers whose lower 16 bits are zero, ties to even. Infinities stay infinite, and NaN stays NaN.
DDPM_VECTOR_FUNCTION ddpm_round_to_upper_halves(ddpm_sixteen_floats x) {
  ddpm_sixteen_words word = (ddpm_sixteen_words)x;
  ddpm_sixteen_words rounded = word + 0x7FFF + ((word >> 16) & 1);
  // Rounding would carry the bits of a NaN into its sign bit.
  ddpm_sixteen_words result = x == x ? rounded : word | 0x400000;
  return (ddpm_sixteen_floats)(result & 0xFFFF0000);
}

static inline __attribute__((always_inline)) ddpm_sixteen_halves ddpm_upper_halves(ddpm_sixteen_floats x) {
  return __builtin_convertvector((ddpm_sixteen_words)x >> 16, ddpm_sixteen_halves);
}

DDPM_VECTOR_FUNCTION ddpm_from_upper_halves(ddpm_sixteen_halves halves) {
  return (ddpm_sixteen_floats)(__builtin_convertvector(halves, ddpm_sixteen_words) << 16);
}

/// Eight doubles, as in Swift's SIMD8<Double>.
typedef double ddpm_eight_doubles __attribute__((ext_vector_type(8)));

/// a * b + sum, rounded once.
static inline __attribute__((always_inline)) ddpm_eight_doubles ddpm_add_product_of_doubles(
    ddpm_eight_doubles sum, ddpm_eight_doubles a, ddpm_eight_doubles b) {
  return __builtin_elementwise_fma(a, b, sum);
}
