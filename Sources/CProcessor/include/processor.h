// What this processor has, read with the baseline instruction set only.
#pragma once
#include <stddef.h>

/// The features of `enum ddpm_processor_feature` that this processor and operating system support.
unsigned ddpm_processor_features(void);

/// Writes the names of the set bits of `features`, separated by ", ", into `text`.
void ddpm_feature_names(unsigned features, char *text, size_t capacity);

/// Writes the numbers of the processors that the calling thread may run on (sched_getaffinity) into `numbers`, in
/// ascending order, as many as `capacity` has room for. Returns how many there are; -1 if the system does not tell.
int ddpm_usable_processors(int *numbers, int capacity);

/// Spin-wait hint to the processor.
static inline void ddpm_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/// Asks for the cache line at an address, which need not be valid, before it is read.
static inline void ddpm_prefetch(const float *address) { __builtin_prefetch(address, 0, 3); }

/// Asks for the cache line at an address, which need not be valid, before it is overwritten.
static inline void ddpm_prefetch_to_write(const float *address) { __builtin_prefetch(address, 1, 3); }
/// Copies `count` floats, a multiple of 16, between addresses aligned to 64 bytes, without reading the target into the
/// caches first: the fastest way for more than they hold.
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
  // Such stores are not ordered with others.
  __sync_synchronize();
}
