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

/// Eight doubles, as in Swift's SIMD8<Double>.
typedef double ddpm_eight_doubles __attribute__((ext_vector_type(8)));

/// a * b + sum, rounded once.
static inline __attribute__((always_inline)) ddpm_eight_doubles ddpm_add_product_of_doubles(
    ddpm_eight_doubles sum, ddpm_eight_doubles a, ddpm_eight_doubles b) {
  return __builtin_elementwise_fma(a, b, sum);
}
