// Reading PNG files by libpng's classic interface, which leaves errors by longjmp; that must not cross Swift code, so
// all of it is here. The simplified interface is not used: by it Debian's 1.6.39-2+deb12u4 reads interlaced images of
// 16 bits wrongly, and a file's gamma changes values.
#pragma once
#include <stddef.h>

#define DDPM_PNG_MESSAGE_LENGTH 256

struct ddpm_png_layout {
  unsigned int width;
  unsigned int height;
  /// 1: grey; 2: grey, opacity; 3: red, green, blue; 4: the same and opacity.
  int channels;
};

/// Writes the pixels of a file, [height, width, channels], as they are stored: samples of 16 bits become
/// round(v / 257), those of fewer than 8 bits v · 255 / (2^bits − 1), indices the colours of the palette.
///
/// Returns 0; or -1 with the reason in `message`, which takes DDPM_PNG_MESSAGE_LENGTH characters, if the file is
/// damaged or its layout is not the one expected.
///
/// - bytes: from the file's beginning to the end of the last IDAT chunk at least.
int ddpm_png_decode(const unsigned char *bytes, size_t count, const struct ddpm_png_layout *expected,
                    unsigned char *pixels, char *message);
