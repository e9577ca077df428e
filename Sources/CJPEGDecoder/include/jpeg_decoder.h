// Reading JPEG files. libjpeg reports errors by a function that must not return, which leaves it with longjmp; that
// must not cross Swift code, so all of it is here.
#pragma once
#include <stddef.h>

#define DDPM_JPEG_MESSAGE_LENGTH 256

struct ddpm_jpeg_layout {
  unsigned int width;
  unsigned int height;
  /// 1: grey; 3: red, green, blue; 4: cyan, magenta, yellow, black.
  int channels;
};

/// Writes the pixels of a whole file, [height, width, channels].
///
/// What libjpeg merely warns of is an error where the picture has suffered, such as a file that ends too soon; it is
/// not where bytes between the parts of a file belong to nothing, or the mark of its end is missing.
///
/// Returns 0; or -1 with the reason in `message`, which takes DDPM_JPEG_MESSAGE_LENGTH characters, if the file is
/// damaged or its layout is not the one expected.
///
/// - are_inks_inverted: set to whether four channels are stored as Adobe's programs do, 255 being no ink.
int ddpm_jpeg_decode(const unsigned char *bytes, size_t count, const struct ddpm_jpeg_layout *expected,
                     unsigned char *pixels, int *are_inks_inverted, char *message);
