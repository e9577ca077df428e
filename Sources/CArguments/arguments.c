#include "arguments.h"

#include <stddef.h>

static int count;
static char **words;

// The C library passes these to every function that runs before `main`.
__attribute__((constructor)) static void take_arguments(int argc, char **argv) {
  count = argc;
  words = argv;
}

const char *ddpm_argument(int index) { return index >= 0 && index < count ? words[index] : NULL; }
