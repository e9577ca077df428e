// Products of bfloat16 numbers with sums in single precision, with an implementation for each kind of processor.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// The products of bfloat16 numbers for one kind of processor.
///
/// All implementations give the same bits, those of the instruction TDPBF16PS. A sum is made 32 terms at a time: a
/// chain of fused multiply-adds over their even terms, starting from zero, and another one over their odd terms; then
/// c becomes c + (even + odd). Each step is rounded to the nearest number, ties to even. Operands and results that are
/// denormal count as zeros of their sign. Which of several NaNs results is not defined.
///
/// A result thus depends on its own row and column alone, and a sum may be divided among calls.
struct __attribute__((swift_attr("@Sendable"))) ddpm_rounded_kernel {
  const char *name;
  /// The processor features it requires: bits of `enum ddpm_processor_feature`.
  unsigned features;

  /// c(r, j) = Σ over runs and their elements k of a[run](r, k)·b(run, k, j), or c(r, j) += this sum if it accumulates.
  /// With several runs it is a convolution whose operands stay in place: each tap is a run.
  ///
  /// - rows: a multiple of 16.
  /// - width: the number of columns, 16 or 32.
  /// - run_length: a multiple of 32.
  /// - a: the start of each run; a[run](r, k) is at r·a_stride + k.
  /// - b: [runs][run_length / 2][width][2]: pairs of rows, column by column.
  /// - c: c(r, j) is at r·c_stride + j.
  void (*multiply)(ptrdiff_t rows, ptrdiff_t width, ptrdiff_t runs, ptrdiff_t run_length,
                   const uint16_t *_Nonnull const *_Nonnull a, ptrdiff_t a_stride, const uint16_t *b, float *c,
                   ptrdiff_t c_stride, bool accumulates);
};

#if defined(__x86_64__)
/// By tile instructions. Only for threads of a process that may use them: see tiles.h of CProcessor.
extern const struct ddpm_rounded_kernel ddpm_amx_kernel;
extern const struct ddpm_rounded_kernel ddpm_avx512_rounded_kernel;
extern const struct ddpm_rounded_kernel ddpm_avx2_rounded_kernel;
#endif
/// For any processor.
extern const struct ddpm_rounded_kernel ddpm_plain_rounded_kernel;

#pragma clang assume_nonnull end
