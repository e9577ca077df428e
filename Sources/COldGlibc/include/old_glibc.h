#pragma once

// Linking with this module gives the program an older version of the C library's functions `hypot` and `hypotf`, with
// the same results. Nothing needs to be called.
