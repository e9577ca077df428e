// Reads JPEG files. libjpeg reports errors to a function that must not return but leave by longjmp; since a jump must
// not cross Swift code, all of it is here.
#pragma once
#include <stddef.h>

#define DDPM_JPEG_MESSAGE_LENGTH 256

struct ddpm_jpeg_layout {
  unsigned int width;
  unsigned int height;
  /// 1: grey; 3: red, green, blue; 4: cyan, magenta, yellow, black.
  int channels;
};

/// Decodes the pixels of a whole file, [height, width, channels].
///
/// A libjpeg warning is an error if the picture is affected, for instance if the file ends too early; it is not an
/// error if there are stray bytes between the parts of a file, or the end marker is missing.
///
/// Returns 0; or -1 with the reason in `message`, a buffer of DDPM_JPEG_MESSAGE_LENGTH characters, if the file is
/// damaged or its layout is not the one expected.
///
/// - are_inks_inverted: set to whether four channels are stored as by Adobe's programs, where 255 is no ink.
int ddpm_jpeg_decode(const unsigned char *bytes, size_t count, const struct ddpm_jpeg_layout *expected,
                     unsigned char *pixels, int *are_inks_inverted, char *message);
