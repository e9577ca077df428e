#pragma once
#include <png.h>

// Formats are macros of flags combined with bit operations.
static inline png_uint_32 ddpm_png_gray(void) { return PNG_FORMAT_GRAY; }
static inline png_uint_32 ddpm_png_rgb(void) { return PNG_FORMAT_RGB; }
static inline png_uint_32 ddpm_png_rgba(void) { return PNG_FORMAT_RGBA; }
static inline int ddpm_png_has_color(png_uint_32 format) { return (format & PNG_FORMAT_FLAG_COLOR) != 0; }
static inline int ddpm_png_has_alpha(png_uint_32 format) { return (format & PNG_FORMAT_FLAG_ALPHA) != 0; }
