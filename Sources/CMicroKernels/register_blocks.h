// The products of one processor, block by block. A file that includes this defines the sizes of its registers:
//   VECTOR_LANES  floats in a vector register (a double counts as two),
//   BLOCK_ROWS    rows of a block, a divisor of 8,
//   BLOCK_VECTORS vectors of its rows; two in strips of 32 columns.
// A block's sums stay in registers, together with a row of B and an element of A.
#include <stdbool.h>
#include <stddef.h>

typedef float float_vector __attribute__((ext_vector_type(VECTOR_LANES)));
typedef double double_vector __attribute__((ext_vector_type(VECTOR_LANES / 2)));
// Vectors in memory, at any address of an element.
typedef float_vector stored_floats __attribute__((aligned(4), may_alias));
typedef double_vector stored_doubles __attribute__((aligned(8), may_alias));

enum { ROWS = 8, DOUBLE_LANES = VECTOR_LANES / 2, DOUBLE_COLUMNS = 24 };

#define BLOCK_FUNCTION static inline __attribute__((always_inline)) void
// Loops over a block's registers have constant bounds; when they are unrolled, their tables become registers.
#define UNROLLED _Pragma("clang loop unroll(full)")

BLOCK_FUNCTION load_row(const int vectors, const float *from, float_vector *row) {
  UNROLLED for (int v = 0; v < vectors; v++) row[v] = *(const stored_floats *)(from + v * VECTOR_LANES);
}

BLOCK_FUNCTION add_products(const int vectors, float_vector *sums, float factor, const float_vector *row) {
  UNROLLED for (int v = 0; v < vectors; v++) sums[v] = __builtin_elementwise_fma((float_vector)factor, row[v], sums[v]);
}

/// Prefetches the lines that a block will write.
BLOCK_FUNCTION prefetch_block(const int vectors, const float *block, ptrdiff_t stride) {
  UNROLLED for (int r = 0; r < BLOCK_ROWS; r++) {
    UNROLLED for (int v = 0; v < vectors; v++) __builtin_prefetch(block + r * stride + v * VECTOR_LANES, 1, 3);
  }
}

BLOCK_FUNCTION multiply_block(const int vectors, ptrdiff_t depth, const float *a, ptrdiff_t a_row_stride,
                              ptrdiff_t a_depth_stride, const float *b, ptrdiff_t b_stride, float *c,
                              ptrdiff_t c_stride, bool accumulates) {
  float_vector sums[BLOCK_ROWS][BLOCK_VECTORS] = {};
  // Rows of A are followed by those of the next call. Columns are read a cache line at a time, from addresses that the
  // processor does not predict.
  const float *ahead = a_depth_stride == 1 ? a + ROWS * a_row_stride : a + 64 * a_depth_stride;
  const ptrdiff_t ahead_stride = a_depth_stride == 1 ? ROWS * a_row_stride / depth : a_depth_stride;
  prefetch_block(vectors, c, c_stride);
  for (ptrdiff_t k = 0; k < depth; k++) {
    float_vector row[BLOCK_VECTORS];
    load_row(vectors, b, row);
    __builtin_prefetch(ahead, 0, 3);
    UNROLLED for (int r = 0; r < BLOCK_ROWS; r++) add_products(vectors, sums[r], a[r * a_row_stride], row);
    a += a_depth_stride;
    b += b_stride;
    ahead += ahead_stride;
  }
  UNROLLED for (int r = 0; r < BLOCK_ROWS; r++) {
    UNROLLED for (int v = 0; v < vectors; v++) {
      stored_floats *to = (stored_floats *)(c + r * c_stride + v * VECTOR_LANES);
      *to = accumulates ? *to + sums[r][v] : sums[r][v];
    }
  }
}

BLOCK_FUNCTION multiply_patches_block(const int vectors, ptrdiff_t runs, ptrdiff_t run_length,
                                      const float *const *patches, const float *weights, ptrdiff_t weight_stride,
                                      const float *bias, float minimum, float *outputs, ptrdiff_t output_stride) {
  float_vector sums[BLOCK_ROWS][BLOCK_VECTORS] = {};
  prefetch_block(vectors, outputs, output_stride);
  for (ptrdiff_t run = 0; run < runs; run++) {
    const float *patch[BLOCK_ROWS];
    UNROLLED for (int r = 0; r < BLOCK_ROWS; r++) patch[r] = patches[r];
    for (ptrdiff_t k = 0; k < run_length; k++) {
      float_vector row[BLOCK_VECTORS];
      load_row(vectors, weights, row);
      UNROLLED for (int r = 0; r < BLOCK_ROWS; r++) add_products(vectors, sums[r], patch[r][k], row);
      weights += weight_stride;
    }
    patches += ROWS;
  }
  float_vector offset[BLOCK_VECTORS];
  load_row(vectors, bias, offset);
  UNROLLED for (int r = 0; r < BLOCK_ROWS; r++) {
    UNROLLED for (int v = 0; v < vectors; v++) {
      const float_vector sum = sums[r][v] + offset[v];
      *(stored_floats *)(outputs + r * output_stride + v * VECTOR_LANES) =
          sum < (float_vector)minimum ? (float_vector)minimum : sum;
    }
  }
}

BLOCK_FUNCTION add_precise_block(ptrdiff_t depth, const double *a, const double *b, double *c, ptrdiff_t c_stride) {
  double_vector sums[BLOCK_ROWS][BLOCK_VECTORS];
  UNROLLED for (int r = 0; r < BLOCK_ROWS; r++) {
    UNROLLED for (int v = 0; v < BLOCK_VECTORS; v++) {
      sums[r][v] = *(const stored_doubles *)(c + r * c_stride + v * DOUBLE_LANES);
    }
  }
  for (ptrdiff_t k = 0; k < depth; k++) {
    double_vector row[BLOCK_VECTORS];
    UNROLLED for (int v = 0; v < BLOCK_VECTORS; v++) row[v] = *(const stored_doubles *)(b + v * DOUBLE_LANES);
    UNROLLED for (int r = 0; r < BLOCK_ROWS; r++) {
      UNROLLED for (int v = 0; v < BLOCK_VECTORS; v++) {
        sums[r][v] = __builtin_elementwise_fma((double_vector)a[r], row[v], sums[r][v]);
      }
    }
    a += ROWS;
    b += DOUBLE_COLUMNS;
  }
  UNROLLED for (int r = 0; r < BLOCK_ROWS; r++) {
    UNROLLED for (int v = 0; v < BLOCK_VECTORS; v++) {
      *(stored_doubles *)(c + r * c_stride + v * DOUBLE_LANES) = sums[r][v];
    }
  }
}

/// All blocks of some vectors' width in a strip.
BLOCK_FUNCTION multiply_strip(const int vectors, ptrdiff_t width, ptrdiff_t depth, const float *a,
                              ptrdiff_t a_row_stride, ptrdiff_t a_depth_stride, const float *b, ptrdiff_t b_stride,
                              float *c, ptrdiff_t c_stride, bool accumulates) {
  for (ptrdiff_t column = 0; column < width; column += vectors * VECTOR_LANES) {
    for (ptrdiff_t row = 0; row < ROWS; row += BLOCK_ROWS) {
      multiply_block(vectors, depth, a + row * a_row_stride, a_row_stride, a_depth_stride, b + column, b_stride,
                     c + row * c_stride + column, c_stride, accumulates);
    }
  }
}

BLOCK_FUNCTION multiply_patches_strip(const int vectors, ptrdiff_t width, ptrdiff_t runs, ptrdiff_t run_length,
                                      const float *const *patches, const float *weights, const float *bias,
                                      float minimum, float *outputs, ptrdiff_t output_stride) {
  for (ptrdiff_t column = 0; column < width; column += vectors * VECTOR_LANES) {
    for (ptrdiff_t row = 0; row < ROWS; row += BLOCK_ROWS) {
      multiply_patches_block(vectors, runs, run_length, patches + row, weights + column, width, bias + column, minimum,
                             outputs + row * output_stride + column, output_stride);
    }
  }
}

static void multiply(ptrdiff_t width, ptrdiff_t depth, const float *a, ptrdiff_t a_row_stride,
                     ptrdiff_t a_depth_stride, const float *b, ptrdiff_t b_stride, float *c, ptrdiff_t c_stride,
                     bool accumulates) {
  if (width == 48) {
    multiply_strip(BLOCK_VECTORS, 48, depth, a, a_row_stride, a_depth_stride, b, b_stride, c, c_stride, accumulates);
  } else {
    multiply_strip(2, 32, depth, a, a_row_stride, a_depth_stride, b, b_stride, c, c_stride, accumulates);
  }
}

static void multiply_patches(ptrdiff_t width, ptrdiff_t runs, ptrdiff_t run_length, const float *const *patches,
                             const float *weights, const float *bias, float minimum, float *outputs,
                             ptrdiff_t output_stride) {
  if (width == 48) {
    multiply_patches_strip(BLOCK_VECTORS, 48, runs, run_length, patches, weights, bias, minimum, outputs, output_stride);
  } else {
    multiply_patches_strip(2, 32, runs, run_length, patches, weights, bias, minimum, outputs, output_stride);
  }
}

static void add_precise(ptrdiff_t depth, const double *a, const double *b, double *c, ptrdiff_t c_stride) {
  for (ptrdiff_t column = 0; column < DOUBLE_COLUMNS; column += BLOCK_VECTORS * DOUBLE_LANES) {
    for (ptrdiff_t row = 0; row < ROWS; row += BLOCK_ROWS) {
      add_precise_block(depth, a + row, b + column, c + row * c_stride + column, c_stride);
    }
  }
}
