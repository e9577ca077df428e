// Reading JPEG files. libjpeg reports errors by a function that must not return, which leaves it with longjmp; that must
// not cross Swift code, so all of it is here.
#pragma once
#include <stddef.h>

#define DDPM_JPEG_MESSAGE_LENGTH 256

struct ddpm_jpeg_header {
  int width;
  int height;
  /// 1: grey; 3: red, green, blue; 4: cyan, magenta, yellow, black.
  int channels;
  /// Whether the four colours are stored as Adobe's programs do, 255 being no ink.
  int is_inverted;
};

/// Reads as much of a file as tells the image's size. Returns 0, or -1 with the reason in `message`, which takes
/// DDPM_JPEG_MESSAGE_LENGTH characters.
int ddpm_jpeg_file_header(const char *path, struct ddpm_jpeg_header *header, char *message);

/// The same from the file's bytes.
int ddpm_jpeg_header(const unsigned char *bytes, size_t count, struct ddpm_jpeg_header *header, char *message);

/// Writes the pixels, [height, width, channels]. What libjpeg would merely warn of, such as a file that ends too soon,
/// is an error if the picture has suffered.
int ddpm_jpeg_decode(const unsigned char *bytes, size_t count, unsigned char *pixels, char *message);
