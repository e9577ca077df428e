// Features of this processor, determined with the baseline instruction set only.
#pragma once
#include <stddef.h>

/// The features of `enum ddpm_processor_feature` that this processor and operating system support.
unsigned ddpm_processor_features(void);

/// Writes the names of the set bits of `features`, separated by ", ", into `text`.
void ddpm_feature_names(unsigned features, char *text, size_t capacity);

/// The version of the C library that this process uses, such as "2.36".
const char *ddpm_c_library_version(void);

/// Writes the numbers of the processors that the calling thread may run on (sched_getaffinity) to `numbers`, in
/// ascending order, at most `capacity` of them. Returns their number, or -1 if the system does not report them.
int ddpm_usable_processors(int *numbers, int capacity);
