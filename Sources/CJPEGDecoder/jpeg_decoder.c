#include "jpeg_decoder.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

struct error_state {
  struct jpeg_error_mgr manager;
  jmp_buf target;
  char *message;
};

static void leave(j_common_ptr info) {
  struct error_state *state = (struct error_state *)info->err;
  char text[JMSG_LENGTH_MAX];
  state->manager.format_message(info, text);
  snprintf(state->message, DDPM_JPEG_MESSAGE_LENGTH, "%s", text);
  longjmp(state->target, 1);
}

// Level -1 are warnings, of which these do not concern the pixels.
static void judge_message(j_common_ptr info, int level) {
  if (level >= 0) return;
  switch (info->err->msg_code) {
  case JWRN_ADOBE_XFORM:
  case JWRN_JFIF_MAJOR:
#ifdef JWRN_BOGUS_ICC
  case JWRN_BOGUS_ICC:
#endif
    return;
  default:
    leave(info);
  }
}

static void set_error_handling(struct jpeg_decompress_struct *info, struct error_state *state, char *message) {
  memset(info, 0, sizeof *info);
  info->err = jpeg_std_error(&state->manager);
  state->manager.error_exit = leave;
  state->manager.emit_message = judge_message;
  state->message = message;
}

// Reads the header and decides on the colours of the output.
static void start(struct jpeg_decompress_struct *info, struct ddpm_jpeg_header *header) {
  jpeg_read_header(info, TRUE);
  switch (info->jpeg_color_space) {
  case JCS_GRAYSCALE:
    info->out_color_space = JCS_GRAYSCALE;
    break;
  case JCS_CMYK:
  case JCS_YCCK:
    info->out_color_space = JCS_CMYK;
    break;
  default:
    info->out_color_space = JCS_RGB;
  }
  // The same arithmetic on every processor.
  info->dct_method = JDCT_ISLOW;
  header->width = (int)info->image_width;
  header->height = (int)info->image_height;
  header->channels = info->out_color_space == JCS_GRAYSCALE ? 1 : info->out_color_space == JCS_RGB ? 3 : 4;
  header->is_inverted = info->saw_Adobe_marker;
}

int ddpm_jpeg_file_header(const char *path, struct ddpm_jpeg_header *header, char *message) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    snprintf(message, DDPM_JPEG_MESSAGE_LENGTH, "%s", strerror(errno));
    return -1;
  }
  struct jpeg_decompress_struct info;
  struct error_state state;
  set_error_handling(&info, &state, message);
  int status = -1;
  if (setjmp(state.target) == 0) {
    jpeg_create_decompress(&info);
    jpeg_stdio_src(&info, file);
    start(&info, header);
    status = 0;
  } else {
    status = -1;
  }
  jpeg_destroy_decompress(&info);
  fclose(file);
  return status;
}

/// Reads what a whole file in memory says of itself, and its pixels unless there is no room for them.
static int read_memory(const unsigned char *bytes, size_t count, struct ddpm_jpeg_header *header, unsigned char *pixels,
                       char *message) {
  struct jpeg_decompress_struct info;
  struct error_state state;
  set_error_handling(&info, &state, message);
  if (setjmp(state.target) != 0) {
    jpeg_destroy_decompress(&info);
    return -1;
  }
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, bytes, (unsigned long)count);
  start(&info, header);
  if (pixels != NULL) {
    jpeg_start_decompress(&info);
    size_t row_size = (size_t)header->width * (size_t)header->channels;
    while (info.output_scanline < info.output_height) {
      JSAMPROW row = pixels + (size_t)info.output_scanline * row_size;
      jpeg_read_scanlines(&info, &row, 1);
    }
    jpeg_finish_decompress(&info);
  }
  jpeg_destroy_decompress(&info);
  return 0;
}

int ddpm_jpeg_header(const unsigned char *bytes, size_t count, struct ddpm_jpeg_header *header, char *message) {
  return read_memory(bytes, count, header, NULL, message);
}

int ddpm_jpeg_decode(const unsigned char *bytes, size_t count, unsigned char *pixels, char *message) {
  struct ddpm_jpeg_header header;
  return read_memory(bytes, count, &header, pixels, message);
}
