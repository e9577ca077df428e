#define _GNU_SOURCE
#include "file_space.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int ddpm_reserve_file_space(int descriptor, long long offset, long long byte_count, int keeps_size) {
  int status;
  do {
    status = fallocate(descriptor, keeps_size ? FALLOC_FL_KEEP_SIZE : 0, offset, byte_count);
  } while (status != 0 && errno == EINTR);
  return status == 0 ? 0 : errno;
}

int ddpm_synchronise_file_system(int descriptor) { return syncfs(descriptor) == 0 ? 0 : errno; }

int ddpm_make_memory_file(const char *label) { return memfd_create(label, MFD_CLOEXEC); }
