#pragma once
#include <png.h>

// Formats are macros of flags combined with bit operations.
static inline png_uint_32 ddpm_png_gray(void) { return PNG_FORMAT_GRAY; }
static inline png_uint_32 ddpm_png_gray_alpha(void) { return PNG_FORMAT_GA; }
static inline png_uint_32 ddpm_png_rgb(void) { return PNG_FORMAT_RGB; }
static inline png_uint_32 ddpm_png_rgba(void) { return PNG_FORMAT_RGBA; }
