#include "old_glibc.h"

// Swift's static libraries refer to hypot and hypotf, for which a linker with glibc 2.35 or later chooses the versions of
// glibc 2.35. These differ from the older ones only in how they report errors, but keep the program from starting with
// the glibc 2.34 of RHEL 9. So the program has functions of these names, which call the older versions. They are hidden:
// if they were visible, the loader would take them for the older versions.

#if defined(__GLIBC__) || defined(__linux__)
#include <features.h>
#endif

#if defined(__GLIBC__) && (defined(__x86_64__) || defined(__aarch64__))

#if defined(__x86_64__)
#define OLDEST_VERSION "GLIBC_2.2.5"
#else
#define OLDEST_VERSION "GLIBC_2.17"
#endif

__asm__(".symver ddpm_old_hypot, hypot@" OLDEST_VERSION);
__asm__(".symver ddpm_old_hypotf, hypotf@" OLDEST_VERSION);

extern double ddpm_old_hypot(double x, double y);
extern float ddpm_old_hypotf(float x, float y);

__attribute__((visibility("hidden"))) double hypot(double x, double y) { return ddpm_old_hypot(x, y); }
__attribute__((visibility("hidden"))) float hypotf(float x, float y) { return ddpm_old_hypotf(x, y); }

#endif
