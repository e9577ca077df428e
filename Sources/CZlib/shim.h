#pragma once
#include <zlib.h>

// The macro passes the header's version. A window size increased by 16 selects the gzip format.
static inline int ddpm_zlib_start_gunzip(z_stream *stream) { return inflateInit2(stream, 16 + MAX_WBITS); }
