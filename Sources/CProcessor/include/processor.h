// Features of this processor, determined with the baseline instruction set only.
#pragma once
#include <stddef.h>

/// The features of `enum ddpm_processor_feature` that this processor and operating system support.
unsigned ddpm_processor_features(void);

/// Writes the names of the set bits of `features`, separated by ", ", into `text`.
void ddpm_feature_names(unsigned features, char *text, size_t capacity);

/// Writes the numbers of the processors that the calling thread may run on (sched_getaffinity) to `numbers`, in
/// ascending order, at most `capacity` of them. Returns their number, or -1 if the system does not report them.
int ddpm_usable_processors(int *numbers, int capacity);

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
