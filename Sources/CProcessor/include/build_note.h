// What the file of a build says about it, without running it.
#pragma once
#include <stdbool.h>

/// Reads which features of `enum ddpm_processor_feature` the program in a file needs. False if the file cannot be read
/// or is not a build of this program.
bool ddpm_read_build_features(const char *path, unsigned *features);
