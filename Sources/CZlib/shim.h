#pragma once
#include <zlib.h>

// A macro that passes the header's version along. 16 beyond the largest window asks for the gzip format.
static inline int ddpm_zlib_start_gunzip(z_stream *stream) { return inflateInit2(stream, 16 + MAX_WBITS); }
