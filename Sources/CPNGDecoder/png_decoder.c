#include "png_decoder.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

struct reading {
  const unsigned char *next;
  size_t remaining;
  // Whether the end of the image data was reached, and only the end of the file remains.
  int has_pixels;
  jmp_buf target;
  char *message;
};

static void leave(png_structp png, png_const_charp message) {
  struct reading *reading = png_get_error_ptr(png);
  snprintf(reading->message, DDPM_PNG_MESSAGE_LENGTH, "%s", message);
  longjmp(reading->target, 1);
}

// The only libpng warning that concerns the pixels: a wrong checksum of the data that they were decoded from.
static void judge_warning(png_structp png, png_const_charp message) {
  if (strstr(message, "incorrect data check") != NULL) leave(png, message);
}

static void read_bytes(png_structp png, png_bytep destination, size_t count) {
  static const unsigned char end[] = {0, 0, 0, 0, 'I', 'E', 'N', 'D', 0xae, 0x42, 0x60, 0x82};
  struct reading *reading = png_get_io_ptr(png);
  // Data after the pixels may be missing.
  if (reading->has_pixels && reading->remaining == 0) {
    reading->next = end;
    reading->remaining = sizeof end;
  }
  if (count > reading->remaining) png_error(png, "the file ends too early");
  memcpy(destination, reading->next, count);
  reading->next += count;
  reading->remaining -= count;
}

// The colours of a palette, 4 channels each. Returns their number.
static unsigned int copy_palette(png_structp png, png_infop info, unsigned char colours[256][4]) {
  png_colorp palette = NULL;
  png_bytep opacities = NULL;
  int colour_count = 0, opacity_count = 0;
  png_get_PLTE(png, info, &palette, &colour_count);
  png_get_tRNS(png, info, &opacities, &opacity_count, NULL);
  for (int index = 0; index < colour_count; index++) {
    colours[index][0] = palette[index].red;
    colours[index][1] = palette[index].green;
    colours[index][2] = palette[index].blue;
    colours[index][3] = index < opacity_count ? opacities[index] : 255;
  }
  return (unsigned int)colour_count;
}

// Expands the indices at the start of a row to colours that fill it, from the end, so that no index is overwritten
// unread.
static void replace_indices(png_structp png, unsigned char *row, unsigned int width, int channels,
                            unsigned char colours[256][4], unsigned int colour_count) {
  for (size_t x = width; x-- > 0;) {
    unsigned int index = row[x];
    if (index >= colour_count) png_error(png, "a pixel's colour is not in the palette");
    memcpy(row + x * (size_t)channels, colours[index], (size_t)channels);
  }
}

static void read_image(png_structp png, png_infop info, struct reading *reading, const struct ddpm_png_layout *expected,
                       unsigned char *pixels) {
  // The caller checks sizes.
  png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  // Only what affects the samples: no gamma, no profile, no texts.
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
  png_set_benign_errors(png, 1);
  png_read_info(png, info);

  int colour_type = png_get_color_type(png, info);
  int is_indexed = colour_type == PNG_COLOR_TYPE_PALETTE;
  int has_opacity = (colour_type & PNG_COLOR_MASK_ALPHA) != 0 || png_get_valid(png, info, PNG_INFO_tRNS) != 0;
  int channels = ((colour_type & PNG_COLOR_MASK_COLOR) != 0 ? 3 : 1) + (has_opacity ? 1 : 0);
  if (png_get_image_width(png, info) != expected->width || png_get_image_height(png, info) != expected->height)
    png_error(png, "its size has changed");
  if (channels != expected->channels) png_error(png, "its transparency (tRNS) is damaged");

  unsigned char colours[256][4];
  unsigned int colour_count = is_indexed ? copy_palette(png, info, colours) : 0;
  if (is_indexed) {
    png_set_packing(png);
  } else {
    png_set_expand(png);
    png_set_scale_16(png);
  }
  int passes = png_set_interlace_handling(png);
  png_read_update_info(png, info);
  size_t row_size = (size_t)expected->width * (size_t)channels;
  if (png_get_rowbytes(png, info) != (is_indexed ? expected->width : row_size)) png_error(png, "unexpected rows");
  for (int pass = 0; pass < passes; pass++)
    for (unsigned int row = 0; row < expected->height; row++) png_read_row(png, pixels + row * row_size, NULL);
  for (unsigned int row = 0; is_indexed && row < expected->height; row++)
    replace_indices(png, pixels + row * row_size, expected->width, channels, colours, colour_count);
  reading->has_pixels = 1;
  // Verifies the last checksums.
  png_read_end(png, NULL);
}

int ddpm_png_decode(const unsigned char *bytes, size_t count, const struct ddpm_png_layout *expected,
                    unsigned char *pixels, char *message) {
  struct reading reading = {.next = bytes, .remaining = count, .message = message};
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reading, leave, judge_warning);
  png_infop info = png == NULL ? NULL : png_create_info_struct(png);
  if (info == NULL) {
    png_destroy_read_struct(&png, NULL, NULL);
    snprintf(message, DDPM_PNG_MESSAGE_LENGTH, "libpng cannot be initialised");
    return -1;
  }
  if (setjmp(reading.target) != 0) {
    png_destroy_read_struct(&png, &info, NULL);
    return -1;
  }
  png_set_read_fn(png, &reading, read_bytes);
  read_image(png, info, &reading, expected, pixels);
  png_destroy_read_struct(&png, &info, NULL);
  return 0;
}
