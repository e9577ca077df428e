#include "build_note.h"

#include <elf.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "build_target.h"

static bool read_at(int file, void *bytes, size_t count, size_t offset) {
  return pread(file, bytes, count, (off_t)offset) == (ssize_t)count;
}

static size_t rounded_up(size_t count, size_t multiple) { return (count + multiple - 1) / multiple * multiple; }

/// Looks for the note in a segment of notes, which is not trusted.
static bool find_note(int file, const Elf64_Phdr *segment, unsigned *features) {
  const size_t alignment = segment->p_align == 8 ? 8 : 4;
  size_t position = 0;
  Elf64_Nhdr header;
  while (position + sizeof header <= segment->p_filesz) {
    const size_t start = segment->p_offset + position;
    if (!read_at(file, &header, sizeof header, start)) return false;
    struct ddpm_build_note note;
    if (header.n_namesz == sizeof DDPM_NOTE_NAME && header.n_type == DDPM_NOTE_TYPE &&
        header.n_descsz == sizeof note - offsetof(struct ddpm_build_note, features) &&
        read_at(file, &note, sizeof note, start) && memcmp(note.name, DDPM_NOTE_NAME, sizeof DDPM_NOTE_NAME) == 0) {
      *features = note.features;
      return true;
    }
    position += rounded_up(sizeof header + header.n_namesz, alignment) + rounded_up(header.n_descsz, alignment);
  }
  return false;
}

bool ddpm_read_build_features(const char *path, unsigned *features) {
  int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return false;
  bool found = false;
  Elf64_Ehdr header;
  if (read_at(file, &header, sizeof header, 0) && memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
      header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_phentsize == sizeof(Elf64_Phdr)) {
    for (size_t i = 0; i < header.e_phnum && !found; i++) {
      Elf64_Phdr segment;
      if (!read_at(file, &segment, sizeof segment, header.e_phoff + i * sizeof segment)) break;
      if (segment.p_type == PT_NOTE) found = find_note(file, &segment, features);
    }
  }
  close(file);
  return found;
}
