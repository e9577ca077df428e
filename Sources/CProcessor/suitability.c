#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "build_target.h"
#include "processor.h"

// Runs before any Swift code, which may contain instructions that this processor lacks.
__attribute__((constructor)) static void refuse_unsuitable_build(void) {
  unsigned missing = ddpm_build.features & ~ddpm_processor_features();
  if (missing) {
    char names[512];
    ddpm_feature_names(missing, names, sizeof names);
    fprintf(stderr,
#if defined(__x86_64__)
            "ddpm-mpi: this program was built for a processor with %s, which this one lacks; "
            "build it here, or with DDPM_MARCH=x86-64-v3 (or x86-64-v2) for any recent processor\n",
#else
            "ddpm-mpi: this program was built for a processor with %s, which this one lacks; "
            "build it here, or with DDPM_MARCH=generic for any processor of this architecture\n",
#endif
            names);
    _exit(2);
  }
  const char *wanted = getenv("DDPM_BUILD");
  if (wanted && *wanted && strcmp(wanted, ddpm_build.processor) != 0) {
    fprintf(stderr,
            "ddpm-mpi: DDPM_BUILD asks for the build for %s, and this program was built for %s; "
            "start the program that scripts/install.sh has installed for several processors, or unset DDPM_BUILD\n",
            wanted, ddpm_build.processor);
    _exit(2);
  }
}
