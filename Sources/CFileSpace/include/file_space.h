#pragma once

/// Reserves space for some bytes of a file, on its disk or in memory: fallocate(2), which Swift's C library module lacks.
/// With `keeps_size` the file's size does not change. Returns 0, or an errno.
int ddpm_reserve_file_space(int descriptor, long long offset, long long byte_count, int keeps_size);

/// Makes a file in memory that has no name in any folder, and is closed on exec: memfd_create(2). `label` is what /proc
/// shows. Returns its descriptor, or -1 and sets errno.
int ddpm_make_memory_file(const char *label);

/// Flushes everything written to a file system to its disk: syncfs(2). Returns 0, or an errno.
int ddpm_synchronise_file_system(int descriptor);
