// What this processor has, read with the baseline instruction set only.
#pragma once
#include <stddef.h>

/// The features of `enum ddpm_processor_feature` that this processor and operating system support.
unsigned ddpm_processor_features(void);

/// Writes the names of the set bits of `features`, separated by ", ", into `text`.
void ddpm_feature_names(unsigned features, char *text, size_t capacity);

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
