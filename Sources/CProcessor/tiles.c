#define _GNU_SOURCE
#include "tiles.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "build_target.h"
#include "processor.h"

#if defined(__x86_64__)
// Linux's Documentation/arch/x86/xstate.rst; the C library's headers do not have them yet.
enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 };

bool ddpm_request_tiles(void) {
  if (!(ddpm_processor_features() & DDPM_FEATURE_AMX_BF16)) return false;
  return syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
}
#else
bool ddpm_request_tiles(void) { return false; }
#endif
