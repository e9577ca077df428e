// Reads PNG files with libpng's classic interface, which reports errors by longjmp; since a jump must not cross Swift
// code, all of it is here. The simplified interface is not used: with it, Debian's 1.6.39-2+deb12u4 reads interlaced
// 16-bit images incorrectly, and a file's gamma changes values.
#pragma once
#include <stddef.h>

#define DDPM_PNG_MESSAGE_LENGTH 256

struct ddpm_png_layout {
  unsigned int width;
  unsigned int height;
  /// 1: grey; 2: grey, opacity; 3: red, green, blue; 4: red, green, blue, opacity.
  int channels;
};

/// Decodes the pixels of a file, [height, width, channels], as stored: 16-bit samples become round(v / 257), those of
/// fewer than 8 bits v · 255 / (2^bits − 1), and indices the colours of the palette.
///
/// Returns 0; or -1 with the reason in `message`, a buffer of DDPM_PNG_MESSAGE_LENGTH characters, if the file is
/// damaged or its layout is not the one expected.
///
/// - bytes: at least the file up to the end of the last IDAT chunk.
int ddpm_png_decode(const unsigned char *bytes, size_t count, const struct ddpm_png_layout *expected,
                    unsigned char *pixels, char *message);
