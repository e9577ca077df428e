// Starts the best build of ddpm-mpi for this processor. A program of its own: scripts/install.sh puts it at
// bin/ddpm-mpi, and the builds at libexec/ddpm-mpi/PROCESSOR/ddpm-mpi.
//
// The best build is the one that uses the most features of those that this processor has. DDPM_BUILD=PROCESSOR in the
// environment selects another one.
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "build_note.h"
#include "processor.h"

struct build {
  char name[NAME_MAX + 1];
  char path[PATH_MAX];
  unsigned features;
};

enum { maximum_builds = 64 };
static struct build builds[maximum_builds];
static int build_count;

/// libexec/ddpm-mpi beside the folder that this program is in.
static bool find_folder(char *folder, size_t capacity) {
  ssize_t length = readlink("/proc/self/exe", folder, capacity - 1);
  if (length < 0) return false;
  folder[length] = 0;
  for (int level = 0; level < 2; level++) {
    char *slash = strrchr(folder, '/');
    if (!slash) return false;
    *slash = 0;
  }
  static const char below[] = "/libexec/ddpm-mpi";
  if (strlen(folder) + sizeof below > capacity) return false;
  strcat(folder, below);
  return true;
}

static int compare_names(const void *a, const void *b) {
  return strcmp(((const struct build *)a)->name, ((const struct build *)b)->name);
}

/// Finds the builds, in the order of their names.
static void list_builds(const char *folder) {
  DIR *listing = opendir(folder);
  if (!listing) return;
  struct dirent *entry;
  while (build_count < maximum_builds && (entry = readdir(listing))) {
    struct build *build = &builds[build_count];
    if (entry->d_name[0] == '.') continue;
    int length = snprintf(build->path, sizeof build->path, "%s/%s/ddpm-mpi", folder, entry->d_name);
    if (length < 0 || (size_t)length >= sizeof build->path) continue;
    if (!ddpm_read_build_features(build->path, &build->features)) continue;
    strcpy(build->name, entry->d_name);
    build_count++;
  }
  closedir(listing);
  qsort(builds, (size_t)build_count, sizeof builds[0], compare_names);
}

/// Prints what each build needs that this processor lacks.
static void print_builds(const char *folder) {
  fprintf(stderr, "; in %s are", folder);
  for (int i = 0; i < build_count; i++) {
    char names[512];
    unsigned missing = builds[i].features & ~ddpm_processor_features();
    ddpm_feature_names(missing, names, sizeof names);
    fprintf(stderr, "%s %s%s%s%s", i ? "," : "", builds[i].name, missing ? " (needs " : "", names, missing ? ")" : "");
  }
  fputs("\n", stderr);
}

int main(int count, char **arguments) {
  (void)count;
  char folder[PATH_MAX];
  if (!find_folder(folder, sizeof folder)) {
    fputs("ddpm-mpi: cannot find the folder of the builds, since /proc/self/exe cannot be read\n", stderr);
    return 2;
  }
  list_builds(folder);
  if (!build_count) {
    fprintf(stderr, "ddpm-mpi: there is no build in %s; install the program again with scripts/install.sh\n", folder);
    return 2;
  }

  const char *wanted = getenv("DDPM_BUILD");
  if (wanted && !*wanted) wanted = NULL;
  const unsigned processor = ddpm_processor_features();
  const struct build *best = NULL;
  for (int i = 0; i < build_count; i++) {
    if (wanted && strcmp(wanted, builds[i].name) != 0) continue;
    if (builds[i].features & ~processor) continue;
    if (!best || __builtin_popcount(builds[i].features) > __builtin_popcount(best->features)) best = &builds[i];
  }
  if (!best) {
    if (wanted) {
      fprintf(stderr, "ddpm-mpi: there is no build for %s that this processor can run, as DDPM_BUILD asks", wanted);
    } else {
      fputs("ddpm-mpi: there is no build that this processor can run", stderr);
    }
    print_builds(folder);
    return 2;
  }
  execv(best->path, arguments);
  fprintf(stderr, "ddpm-mpi: cannot start %s: %s\n", best->path, strerror(errno));
  return 2;
}
