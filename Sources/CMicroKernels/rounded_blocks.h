// The products of bfloat16 numbers for one kind of processor with vectors, with the bits of TDPBF16PS. A file that
// includes this defines the sizes of its registers:
//   VECTOR_LANES  floats in a vector register, a divisor of 16,
//   BLOCK_ROWS    rows of a block, a divisor of 16,
//   BLOCK_VECTORS vectors of its rows, at most 32 floats; in strips of 16 columns at most those.
// A block's even and odd sums of 32 terms stay in registers.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef float float_vector __attribute__((ext_vector_type(VECTOR_LANES)));
typedef uint32_t word_vector __attribute__((ext_vector_type(VECTOR_LANES)));
// Pairs of bfloat16 numbers in memory, at any address of a number; the first one is the lower half of a word.
typedef word_vector stored_pairs __attribute__((aligned(2), may_alias));
typedef uint32_t stored_pair __attribute__((aligned(2), may_alias));
typedef float_vector stored_floats __attribute__((aligned(4), may_alias));

#define BLOCK_FUNCTION static inline __attribute__((always_inline)) void
// Loops over a block's registers have constant bounds; when they are unrolled, their tables become registers.
#define UNROLLED _Pragma("clang loop unroll(full)")

/// The first and the second numbers of pairs as floats.
BLOCK_FUNCTION separate(word_vector pairs, float_vector *even, float_vector *odd) {
  *even = __builtin_bit_cast(float_vector, pairs << 16);
  *odd = __builtin_bit_cast(float_vector, pairs & 0xffff0000);
}

BLOCK_FUNCTION multiply_block(const int vectors, ptrdiff_t width, ptrdiff_t runs, ptrdiff_t run_length,
                              const uint16_t *const *a, ptrdiff_t a_offset, ptrdiff_t a_stride, const uint16_t *b,
                              float *c, ptrdiff_t c_stride, bool accumulates) {
  float_vector sums[BLOCK_ROWS][BLOCK_VECTORS] = {};
  if (accumulates) {
    UNROLLED for (int r = 0; r < BLOCK_ROWS; r++) {
      UNROLLED for (int v = 0; v < vectors; v++) {
        sums[r][v] = *(const stored_floats *)(c + r * c_stride + v * VECTOR_LANES);
      }
    }
  }
  for (ptrdiff_t run = 0; run < runs; run++) {
    const uint16_t *rows = a[run] + a_offset;
    for (ptrdiff_t first = 0; first < run_length; first += 32) {
      float_vector even[BLOCK_ROWS][BLOCK_VECTORS] = {}, odd[BLOCK_ROWS][BLOCK_VECTORS] = {};
      for (int k = 0; k < 32; k += 2) {
        float_vector b_even[BLOCK_VECTORS], b_odd[BLOCK_VECTORS];
        UNROLLED for (int v = 0; v < vectors; v++) {
          separate(*(const stored_pairs *)(b + 2 * v * VECTOR_LANES), &b_even[v], &b_odd[v]);
        }
        UNROLLED for (int r = 0; r < BLOCK_ROWS; r++) {
          float_vector a_even, a_odd;
          separate((word_vector)*(const stored_pair *)(rows + r * a_stride + k), &a_even, &a_odd);
          UNROLLED for (int v = 0; v < vectors; v++) {
            even[r][v] = __builtin_elementwise_fma(a_even, b_even[v], even[r][v]);
            odd[r][v] = __builtin_elementwise_fma(a_odd, b_odd[v], odd[r][v]);
          }
        }
        b += 2 * width;
      }
      UNROLLED for (int r = 0; r < BLOCK_ROWS; r++) {
        UNROLLED for (int v = 0; v < vectors; v++) sums[r][v] += even[r][v] + odd[r][v];
      }
      rows += 32;
    }
  }
  UNROLLED for (int r = 0; r < BLOCK_ROWS; r++) {
    UNROLLED for (int v = 0; v < vectors; v++) {
      *(stored_floats *)(c + r * c_stride + v * VECTOR_LANES) = sums[r][v];
    }
  }
}

/// The blocks of some rows in a strip.
BLOCK_FUNCTION multiply_strip(const int vectors, const ptrdiff_t width, ptrdiff_t runs, ptrdiff_t run_length,
                              const uint16_t *const *a, ptrdiff_t row, ptrdiff_t a_stride, const uint16_t *b, float *c,
                              ptrdiff_t c_stride, bool accumulates) {
  for (ptrdiff_t column = 0; column < width; column += vectors * VECTOR_LANES) {
    multiply_block(vectors, width, runs, run_length, a, row * a_stride, a_stride, b + 2 * column,
                   c + row * c_stride + column, c_stride, accumulates);
  }
}

/// All blocks. Never inlined: the compiler could move its arithmetic out from between the instructions that change the
/// mode, of which it knows nothing.
static __attribute__((noinline)) void multiply_blocks(ptrdiff_t rows, ptrdiff_t width, ptrdiff_t runs,
                                                      ptrdiff_t run_length, const uint16_t *const *a,
                                                      ptrdiff_t a_stride, const uint16_t *b, float *c,
                                                      ptrdiff_t c_stride, bool accumulates) {
  // Strips of 16 columns may be narrower than a block.
  enum { NARROW_VECTORS = BLOCK_VECTORS * VECTOR_LANES > 16 ? 16 / VECTOR_LANES : BLOCK_VECTORS };
  for (ptrdiff_t row = 0; row < rows; row += BLOCK_ROWS) {
    if (width == 32) {
      multiply_strip(BLOCK_VECTORS, 32, runs, run_length, a, row, a_stride, b, c, c_stride, accumulates);
    } else {
      multiply_strip(NARROW_VECTORS, 16, runs, run_length, a, row, a_stride, b, c, c_stride, accumulates);
    }
  }
}

// The mode of the arithmetic: rounding to nearest, ties to even; denormal operands and results count as zeros.
#if defined(__x86_64__)
typedef uint32_t arithmetic_mode;
static inline arithmetic_mode current_mode(void) {
  arithmetic_mode mode;
  __asm__ volatile("stmxcsr %0" : "=m"(mode) : : "memory");
  return mode;
}
static inline void set_mode(arithmetic_mode mode) { __asm__ volatile("ldmxcsr %0" : : "m"(mode) : "memory"); }
/// MXCSR with all exceptions masked, DAZ and FTZ (Intel SDM, volume 1, section 10.2.3).
#define FLUSHING_MODE 0x9fc0
#elif defined(__aarch64__)
typedef uint64_t arithmetic_mode;
static inline arithmetic_mode current_mode(void) {
  arithmetic_mode mode;
  __asm__ volatile("mrs %0, fpcr" : "=r"(mode) : : "memory");
  return mode;
}
static inline void set_mode(arithmetic_mode mode) { __asm__ volatile("msr fpcr, %0" : : "r"(mode) : "memory"); }
/// FPCR.FZ. Unlike x86-64, it makes a result zero that is denormal before rounding and would be rounded to the smallest
/// normal number.
#define FLUSHING_MODE (UINT64_C(1) << 24)
#else
#error "how are denormal numbers flushed on this processor?"
#endif

static void multiply(ptrdiff_t rows, ptrdiff_t width, ptrdiff_t runs, ptrdiff_t run_length, const uint16_t *const *a,
                     ptrdiff_t a_stride, const uint16_t *b, float *c, ptrdiff_t c_stride, bool accumulates) {
  const arithmetic_mode mode = current_mode();
  set_mode(FLUSHING_MODE);
  multiply_blocks(rows, width, runs, run_length, a, a_stride, b, c, c_stride, accumulates);
  set_mode(mode);
}
