#pragma once

/// Reserves disk space for a file's first bytes: fallocate(2), which Swift's C library module lacks. With `keeps_size`
/// the file's size does not change. Returns 0, or an errno.
int ddpm_reserve_file_space(int descriptor, long long byte_count, int keeps_size);

/// Flushes everything written to a file system to its disk: syncfs(2). Returns 0, or an errno.
int ddpm_synchronise_file_system(int descriptor);
