#pragma once

/// Makes the file system set aside space for a file's first bytes: fallocate(2), which Swift's C library module lacks.
/// With `keeps_size` the file's size stays as it is. Returns 0, or an errno.
int ddpm_reserve_file_space(int descriptor, long long byte_count, int keeps_size);

/// Brings all that was written to a file system to its disk: syncfs(2). Returns 0, or an errno.
int ddpm_synchronise_file_system(int descriptor);
