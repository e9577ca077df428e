// Instructions that Swift has no names for.
#pragma once
#include <stddef.h>

/// Spin-wait hint to the processor.
static inline void ddpm_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/// Prefetches the cache line at an address, which need not be valid, for reading.
static inline void ddpm_prefetch(const float *address) { __builtin_prefetch(address, 0, 3); }

/// Prefetches the cache line at an address, which need not be valid, for writing.
static inline void ddpm_prefetch_to_write(const float *address) { __builtin_prefetch(address, 1, 3); }

/// Copies `count` floats, a multiple of 16, between addresses aligned to 64 bytes, without first reading the target
/// into the caches: the fastest method for data larger than the caches.
static inline void ddpm_copy_past_caches(float *target, const float *source, size_t count) {
  typedef float four __attribute__((vector_size(16), may_alias));
  for (size_t i = 0; i < count; i += 16) {
    const four *from = (const four *)(source + i);
    four *to = (four *)(target + i);
    four a = from[0], b = from[1], c = from[2], d = from[3];
    __builtin_nontemporal_store(a, to);
    __builtin_nontemporal_store(b, to + 1);
    __builtin_nontemporal_store(c, to + 2);
    __builtin_nontemporal_store(d, to + 3);
  }
  // These stores are not ordered with respect to others.
  __sync_synchronize();
}
