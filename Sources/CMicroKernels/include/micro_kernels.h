// The innermost products, with an implementation for each kind of processor.
#pragma once
#include <stdbool.h>
#include <stddef.h>

#pragma clang assume_nonnull begin

/// The innermost products for one kind of processor.
///
/// They multiply 8 rows of A by a strip of 48 or 32 columns of B. The result's element (r, c) is a chain of fused
/// multiply-adds in the order of k that depends only on row r and column c: all implementations give the same bits.
struct __attribute__((swift_attr("@Sendable"))) ddpm_micro_kernel {
  const char *name;
  /// The processor features it requires: bits of `enum ddpm_processor_feature`.
  unsigned features;

  /// c(r, j) = Σ a(r, k)·b(k, j), or c(r, j) += this sum if it accumulates; a(r, k) is at r·a_row_stride +
  /// k·a_depth_stride, b(k, j) at k·b_stride + j, c(r, j) at r·c_stride + j.
  void (*multiply)(ptrdiff_t width, ptrdiff_t depth, const float *a, ptrdiff_t a_row_stride, ptrdiff_t a_depth_stride,
                   const float *b, ptrdiff_t b_stride, float *c, ptrdiff_t c_stride, bool accumulates);

  /// outputs(r, j) = max(Σ over runs and their elements k of patches(run, r)[k]·weights(run, k, j) + bias(j), minimum);
  /// patches [runs][8], weights [runs][run_length][width], bias [width]. NaN stays NaN.
  void (*multiply_patches)(ptrdiff_t width, ptrdiff_t runs, ptrdiff_t run_length, const float *_Nonnull const *_Nonnull patches,
                           const float *weights, const float *bias, float minimum, float *outputs,
                           ptrdiff_t output_stride);

  /// c(r, j) += Σ a(k, r)·b(k, j), term by term, for 8 rows and 24 columns; a [depth][8], b [depth][24].
  void (*add_precise)(ptrdiff_t depth, const double *a, const double *b, double *c, ptrdiff_t c_stride);
};

#if defined(__x86_64__)
extern const struct ddpm_micro_kernel ddpm_avx512_kernel;
extern const struct ddpm_micro_kernel ddpm_avx2_kernel;
#endif

#pragma clang assume_nonnull end
