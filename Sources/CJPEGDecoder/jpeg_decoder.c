#include "jpeg_decoder.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

// More than any encoder produces. Each scan takes the time for a whole image, even if it has only a few bytes.
static const int scan_limit = 500;

struct reading {
  struct jpeg_error_mgr manager;
  struct jpeg_progress_mgr progress;
  jmp_buf target;
  char *message;
  // Whether the file ended before its end marker.
  int has_ended;
};

static void leave_with(struct reading *reading, const char *text) {
  snprintf(reading->message, DDPM_JPEG_MESSAGE_LENGTH, "%s", text);
  longjmp(reading->target, 1);
}

static void leave(j_common_ptr info) {
  struct reading *reading = (struct reading *)info->err;
  char text[JMSG_LENGTH_MAX];
  reading->manager.format_message(info, text);
  leave_with(reading, text);
}

// Level -1 is a warning; these do not concern the pixels.
static void judge_message(j_common_ptr info, int level) {
  if (level >= 0) return;
  struct reading *reading = (struct reading *)info->err;
  switch (info->err->msg_code) {
  case JWRN_ADOBE_XFORM:
  case JWRN_JFIF_MAJOR:
  // Some encoders write zeros for unused parameters of a sequential file.
  case JWRN_NOT_SEQUENTIAL:
#ifdef JWRN_BOGUS_ICC
  case JWRN_BOGUS_ICC:
#endif
    return;
  case JWRN_EXTRANEOUS_DATA: {
    // Bytes before a marker. Within a scan, before a restart marker, they are pixels that were not decoded.
    int marker = info->err->msg_parm.i[1];
    if (marker >= JPEG_RST0 && marker <= JPEG_RST0 + 7) leave(info);
    return;
  }
  case JWRN_JPEG_EOF:
    // If anything is missing, JWRN_HIT_MARKER follows, or coefficients are incomplete.
    reading->has_ended = 1;
    return;
  default:
    leave(info);
  }
}

static void count_scans(j_common_ptr info) {
  if (((j_decompress_ptr)info)->input_scan_number > scan_limit)
    leave_with((struct reading *)info->err, "it has more than 500 scans");
}

// The colours of the output.
static J_COLOR_SPACE output_colours(J_COLOR_SPACE stored) {
  switch (stored) {
  case JCS_GRAYSCALE:
    return JCS_GRAYSCALE;
  case JCS_CMYK:
  case JCS_YCCK:
    return JCS_CMYK;
  default:
    return JCS_RGB;
  }
}

// Whether every bit of every coefficient was received. Unknown for several scans that are not progressive.
static int is_complete(j_decompress_ptr info) {
  if (!jpeg_has_multiple_scans(info)) return 1;
  if (info->coef_bits == NULL) return 0;
  for (int component = 0; component < info->num_components; component++)
    for (int place = 0; place < DCTSIZE2; place++)
      if (info->coef_bits[component][place] != 0) return 0;
  return 1;
}

static void read_image(j_decompress_ptr info, struct reading *reading, const struct ddpm_jpeg_layout *expected,
                       unsigned char *pixels, int *are_inks_inverted) {
  jpeg_read_header(info, TRUE);
  if (reading->has_ended) leave_with(reading, "the file ends before its pixels");
  info->out_color_space = output_colours(info->jpeg_color_space);
  // The same arithmetic on every processor.
  info->dct_method = JDCT_ISLOW;
  *are_inks_inverted = info->saw_Adobe_marker;
  jpeg_calc_output_dimensions(info);
  if (info->output_width != expected->width || info->output_height != expected->height
      || info->output_components != expected->channels)
    leave_with(reading, "its size or its colours have changed");
  // With several scans, all of them are read.
  jpeg_start_decompress(info);
  if (reading->has_ended && !is_complete(info)) leave_with(reading, "the file ends too early");
  size_t row_size = (size_t)expected->width * (size_t)expected->channels;
  while (info->output_scanline < info->output_height) {
    JSAMPROW row = pixels + info->output_scanline * row_size;
    jpeg_read_scanlines(info, &row, 1);
  }
  jpeg_finish_decompress(info);
}

int ddpm_jpeg_decode(const unsigned char *bytes, size_t count, const struct ddpm_jpeg_layout *expected,
                     unsigned char *pixels, int *are_inks_inverted, char *message) {
  struct jpeg_decompress_struct info;
  struct reading reading;
  memset(&info, 0, sizeof info);
  memset(&reading, 0, sizeof reading);
  info.err = jpeg_std_error(&reading.manager);
  reading.manager.error_exit = leave;
  reading.manager.emit_message = judge_message;
  reading.progress.progress_monitor = count_scans;
  reading.message = message;
  if (setjmp(reading.target) != 0) {
    jpeg_destroy_decompress(&info);
    return -1;
  }
  jpeg_create_decompress(&info);
  info.progress = &reading.progress;
  jpeg_mem_src(&info, bytes, (unsigned long)count);
  read_image(&info, &reading, expected, pixels, are_inks_inverted);
  jpeg_destroy_decompress(&info);
  return 0;
}
