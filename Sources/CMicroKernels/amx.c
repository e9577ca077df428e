// AMX: eight tiles of 16 rows by 64 bytes. Four of them hold the sums of 32 rows by 32 columns, two hold 32 rows of A
// and two hold 32 columns of B, each with 32 terms. A tile is loaded for every product of tiles, which takes 16 cycles,
// and loading takes 8.
//
// Tests compile this file a second time, with a model in place of the instructions (Tests/CTileModel), so that all of
// it runs on any processor.
#if defined(__x86_64__) || defined(DDPM_TILES_ARE_MODELLED)
#include "build_target.h"
#include "rounded_kernels.h"

#ifndef DDPM_TILES_ARE_MODELLED
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("amx-tile,amx-bf16"))), apply_to = function)
#endif

enum { TILE_ROWS = 16, TILE_COLUMNS = 16, TILE_DEPTH = 32, TILE_BYTES_PER_ROW = 64 };

/// The operand of LDTILECFG (Intel SDM, volume 2, LDTILECFG, table of the memory area's layout).
struct tile_configuration {
  uint8_t palette, start_row, reserved[14];
  uint16_t bytes_per_row[16];
  uint8_t rows[16];
};

static const struct tile_configuration whole_tiles = {
    .palette = 1,
    .bytes_per_row = {TILE_BYTES_PER_ROW, TILE_BYTES_PER_ROW, TILE_BYTES_PER_ROW, TILE_BYTES_PER_ROW,
                      TILE_BYTES_PER_ROW, TILE_BYTES_PER_ROW, TILE_BYTES_PER_ROW, TILE_BYTES_PER_ROW},
    .rows = {TILE_ROWS, TILE_ROWS, TILE_ROWS, TILE_ROWS, TILE_ROWS, TILE_ROWS, TILE_ROWS, TILE_ROWS},
};

// Instructions name their tiles: sums 0 to 3, by rows; A 4 and 5; B 6 and 7.

/// A block of one or two tiles of rows by one or two tiles of columns; a strip's width is that of its columns.
static inline __attribute__((always_inline)) void multiply_block(
    const int row_tiles, const int column_tiles, ptrdiff_t runs, ptrdiff_t run_length, const uint16_t *const *a,
    ptrdiff_t a_offset, ptrdiff_t a_stride, const uint16_t *b, float *c, ptrdiff_t c_stride, bool accumulates) {
  const ptrdiff_t a_bytes = a_stride * (ptrdiff_t)sizeof *b, c_bytes = c_stride * (ptrdiff_t)sizeof *c;
  const ptrdiff_t b_bytes = column_tiles * TILE_BYTES_PER_ROW;
  if (accumulates) {
    _tile_loadd(0, c, c_bytes);
    if (column_tiles == 2) _tile_loadd(1, c + TILE_COLUMNS, c_bytes);
    if (row_tiles == 2) _tile_loadd(2, c + TILE_ROWS * c_stride, c_bytes);
    if (row_tiles == 2 && column_tiles == 2) _tile_loadd(3, c + TILE_ROWS * c_stride + TILE_COLUMNS, c_bytes);
  } else {
    _tile_zero(0);
    if (column_tiles == 2) _tile_zero(1);
    if (row_tiles == 2) _tile_zero(2);
    if (row_tiles == 2 && column_tiles == 2) _tile_zero(3);
  }
  for (ptrdiff_t run = 0; run < runs; run++) {
    const uint16_t *rows = a[run] + a_offset;
    for (ptrdiff_t k = 0; k < run_length; k += TILE_DEPTH) {
      _tile_loadd(6, b, b_bytes);
      _tile_loadd(4, rows, a_bytes);
      _tile_dpbf16ps(0, 4, 6);
      if (column_tiles == 2) {
        _tile_loadd(7, b + 2 * TILE_COLUMNS, b_bytes);
        _tile_dpbf16ps(1, 4, 7);
      }
      if (row_tiles == 2) {
        _tile_loadd(5, rows + TILE_ROWS * a_stride, a_bytes);
        _tile_dpbf16ps(2, 5, 6);
        if (column_tiles == 2) _tile_dpbf16ps(3, 5, 7);
      }
      rows += TILE_DEPTH;
      b += TILE_DEPTH * column_tiles * TILE_COLUMNS;
    }
  }
  _tile_stored(0, c, c_bytes);
  if (column_tiles == 2) _tile_stored(1, c + TILE_COLUMNS, c_bytes);
  if (row_tiles == 2) _tile_stored(2, c + TILE_ROWS * c_stride, c_bytes);
  if (row_tiles == 2 && column_tiles == 2) _tile_stored(3, c + TILE_ROWS * c_stride + TILE_COLUMNS, c_bytes);
}

/// All blocks of a strip. The last one has a single tile of rows if their number is odd.
static inline __attribute__((always_inline)) void multiply_strip(
    const int column_tiles, ptrdiff_t rows, ptrdiff_t runs, ptrdiff_t run_length, const uint16_t *const *a,
    ptrdiff_t a_stride, const uint16_t *b, float *c, ptrdiff_t c_stride, bool accumulates) {
  ptrdiff_t row = 0;
  for (; row + 2 * TILE_ROWS <= rows; row += 2 * TILE_ROWS) {
    multiply_block(2, column_tiles, runs, run_length, a, row * a_stride, a_stride, b, c + row * c_stride, c_stride,
                   accumulates);
  }
  if (row < rows) {
    multiply_block(1, column_tiles, runs, run_length, a, row * a_stride, a_stride, b, c + row * c_stride, c_stride,
                   accumulates);
  }
}

static void multiply(ptrdiff_t rows, ptrdiff_t width, ptrdiff_t runs, ptrdiff_t run_length, const uint16_t *const *a,
                     ptrdiff_t a_stride, const uint16_t *b, float *c, ptrdiff_t c_stride, bool accumulates) {
  // Configured for each call: a call's products take microseconds, and a thread without configured tiles has 8 KiB
  // less to save when the system switches to another one.
  _tile_loadconfig(&whole_tiles);
  if (width == 2 * TILE_COLUMNS) {
    multiply_strip(2, rows, runs, run_length, a, a_stride, b, c, c_stride, accumulates);
  } else {
    multiply_strip(1, rows, runs, run_length, a, a_stride, b, c, c_stride, accumulates);
  }
  _tile_release();
}

#ifndef DDPM_TILES_ARE_MODELLED
#pragma clang attribute pop
#endif

const struct ddpm_rounded_kernel ddpm_amx_kernel = {"AMX", DDPM_FEATURE_AMX_BF16, multiply};
#endif
