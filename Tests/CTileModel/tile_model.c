#include "tile_model.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// CPUID leaf 1DH, palette 1: 8 tiles of at most 16 rows of 64 bytes.
enum { TILES = 8, ROWS = 16, BYTES_PER_ROW = 64 };

struct tile {
  bool is_valid;
  int rows, bytes_per_row;
  /// Beyond the tile's rows and bytes there are zeros.
  uint8_t data[ROWS][BYTES_PER_ROW];
};

// The state of a thread. A palette of zero means that no tiles are configured.
static _Thread_local int palette;
static _Thread_local struct tile tiles[TILES];
static _Thread_local bool keeps_faults;
static _Thread_local char fault[128];

__attribute__((format(printf, 1, 2))) static void raise_fault(const char *format, ...) {
  char text[sizeof fault];
  va_list values;
  va_start(values, format);
  vsnprintf(text, sizeof text, format, values);
  va_end(values);
  if (!keeps_faults) {
    fprintf(stderr, "tile model: %s\n", text);
    abort();
  }
  if (!fault[0]) strcpy(fault, text);
}

void tile_model_keep_faults(bool keeps) { keeps_faults = keeps; }

const char *tile_model_take_fault(void) {
  static _Thread_local char taken[sizeof fault];
  strcpy(taken, fault);
  fault[0] = 0;
  return taken[0] ? taken : NULL;
}

static bool is_zero(const uint8_t *bytes, int first, int end) {
  for (int i = first; i < end; i++) {
    if (bytes[i]) return false;
  }
  return true;
}

static int word(const uint8_t *bytes, int offset) { return bytes[offset] | bytes[offset + 1] << 8; }

// MARK: The configuration

void tile_model_load_configuration(const void *memory) {
  const uint8_t *bytes = memory;
  const int new_palette = bytes[0];
  if (new_palette > 1) return raise_fault("LDTILECFG #GP: palette %d", new_palette);
  struct tile shapes[TILES] = {};
  if (new_palette == 1) {
    if (!is_zero(bytes, 2, 16) || !is_zero(bytes, 16 + 2 * TILES, 48) || !is_zero(bytes, 48 + TILES, 64)) {
      return raise_fault("LDTILECFG #GP: reserved bytes");
    }
    for (int i = 0; i < TILES; i++) {
      const int rows = bytes[48 + i], width = word(bytes, 16 + 2 * i);
      if (rows > ROWS || width > BYTES_PER_ROW || (rows == 0) != (width == 0)) {
        return raise_fault("LDTILECFG #GP: tile %d of %d rows of %d bytes", i, rows, width);
      }
      shapes[i].is_valid = rows > 0;
      shapes[i].rows = rows;
      shapes[i].bytes_per_row = width;
    }
    // A start row is for instructions that were interrupted.
    if (bytes[1]) return raise_fault("LDTILECFG: the model cannot resume at row %d", bytes[1]);
  }
  palette = new_palette;
  memcpy(tiles, shapes, sizeof tiles);
}

void tile_model_store_configuration(void *memory) {
  uint8_t *bytes = memory;
  memset(bytes, 0, 64);
  if (palette == 0) return;
  bytes[0] = (uint8_t)palette;
  for (int i = 0; i < TILES; i++) {
    bytes[16 + 2 * i] = (uint8_t)tiles[i].bytes_per_row;
    bytes[48 + i] = (uint8_t)tiles[i].rows;
  }
}

void tile_model_release(void) {
  palette = 0;
  memset(tiles, 0, sizeof tiles);
}

/// The tile that an instruction names; null after a fault if it is not configured.
static struct tile *configured(const char *instruction, int number) {
  if (number < 0 || number >= TILES) {
    raise_fault("%s #UD: there is no tile %d", instruction, number);
    return NULL;
  }
  if (palette == 0) {
    raise_fault("%s #UD: no tiles are configured", instruction);
    return NULL;
  }
  if (!tiles[number].is_valid) {
    raise_fault("%s #UD: tile %d is not configured", instruction, number);
    return NULL;
  }
  return &tiles[number];
}

// MARK: Memory

void tile_model_zero(int number) {
  struct tile *tile = configured("TILEZERO", number);
  if (tile) memset(tile->data, 0, sizeof tile->data);
}

static void load(const char *instruction, int number, const void *memory, ptrdiff_t stride) {
  struct tile *tile = configured(instruction, number);
  if (!tile) return;
  memset(tile->data, 0, sizeof tile->data);
  for (int row = 0; row < tile->rows; row++) {
    memcpy(tile->data[row], (const uint8_t *)memory + row * stride, (size_t)tile->bytes_per_row);
  }
}

void tile_model_load(int tile, const void *memory, ptrdiff_t stride) { load("TILELOADD", tile, memory, stride); }

void tile_model_load_streaming(int tile, const void *memory, ptrdiff_t stride) {
  load("TILELOADDT1", tile, memory, stride);
}

void tile_model_store(int number, void *memory, ptrdiff_t stride) {
  const struct tile *tile = configured("TILESTORED", number);
  if (!tile) return;
  for (int row = 0; row < tile->rows; row++) {
    memcpy((uint8_t *)memory + row * stride, tile->data[row], (size_t)tile->bytes_per_row);
  }
}

// MARK: Products

static const float smallest_normal = 0x1p-126f;

/// A denormal number as a zero of its sign.
static float flushed(float value) { return fabsf(value) < smallest_normal ? copysignf(0, value) : value; }

static float add(float a, float b) {
  // Sums of normal numbers that are denormal are exact.
  return flushed(flushed(a) + flushed(b));
}

float tile_model_multiply_add(float a, float b, float c) {
  a = flushed(a), b = flushed(b), c = flushed(c);
  const float result = fmaf(a, b, c);
  if (!(fabsf(result) <= smallest_normal)) return result;
  // A result is denormal if it is too small after rounding to 24 bits, whatever the exponent. This differs from the
  // rounding of denormal numbers just below the smallest normal one, so it is computed again where nothing is denormal.
  // Then c and a·b are tiny too, or they would not cancel so far, and so is at least one factor.
  const float scale = 0x1p100f;
  const float scaled =
      fabsf(a) < fabsf(b) ? fmaf(a * scale, b, c * scale) : fmaf(a, b * scale, c * scale);
  return fabsf(scaled) < smallest_normal * scale ? copysignf(0, scaled) : result;
}

static float number(const struct tile *tile, int row, int index) {
  const uint32_t bits = (uint32_t)word(tile->data[row], 2 * index) << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

void tile_model_multiply(int sums, int a, int b) {
  static const char name[] = "TDPBF16PS";
  struct tile *c = configured(name, sums);
  const struct tile *left = configured(name, a), *right = configured(name, b);
  if (!c || !left || !right) return;
  if (sums == a || sums == b || a == b) return raise_fault("%s #UD: a tile is named twice", name);
  if (c->bytes_per_row % 4 || left->bytes_per_row % 4 || right->bytes_per_row % 4) {
    return raise_fault("%s #UD: rows are not whole words", name);
  }
  if (c->rows != left->rows || c->bytes_per_row != right->bytes_per_row || left->bytes_per_row / 4 != right->rows) {
    return raise_fault("%s #UD: the tiles' shapes do not fit", name);
  }
  const int pairs = left->bytes_per_row / 4, columns = c->bytes_per_row / 4;
  for (int m = 0; m < c->rows; m++) {
    float partial[2 * BYTES_PER_ROW / 4] = {};
    for (int k = 0; k < pairs; k++) {
      for (int n = 0; n < columns; n++) {
        for (int part = 0; part < 2; part++) {
          float *sum = &partial[2 * n + part];
          *sum = tile_model_multiply_add(number(left, m, 2 * k + part), number(right, k, 2 * n + part), *sum);
        }
      }
    }
    for (int n = 0; n < columns; n++) {
      float sum;
      memcpy(&sum, &c->data[m][4 * n], sizeof sum);
      sum = add(sum, add(partial[2 * n], partial[2 * n + 1]));
      memcpy(&c->data[m][4 * n], &sum, sizeof sum);
    }
  }
}
