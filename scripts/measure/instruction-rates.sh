#!/usr/bin/env bash
# Measures how fast a core multiplies floats and bfloat16 numbers with vectors of 512 bits, and prints a table in
# Markdown: independent multiply-adds in registers, the best of several rounds. It decides whether products of bfloat16
# numbers can be worthwhile on a processor (docs/architecture.md, Precision). Takes a few seconds and needs gcc.
set -euo pipefail
if [[ $(uname -m) != x86_64 ]]; then
  echo "This measures instructions of x86-64 processors." >&2
  exit 1
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/rates.c" <<'C'
#include <stdio.h>
#include <time.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + 1e-9 * time.tv_nsec;
}

// Sums in 24 registers hide the latency of the instructions.
#define EACH(instruction)                                                                                   \
  ONE(instruction, 0) ONE(instruction, 1) ONE(instruction, 2) ONE(instruction, 3) ONE(instruction, 4)       \
  ONE(instruction, 5) ONE(instruction, 6) ONE(instruction, 7) ONE(instruction, 8) ONE(instruction, 9)       \
  ONE(instruction, 10) ONE(instruction, 11) ONE(instruction, 12) ONE(instruction, 13) ONE(instruction, 14)  \
  ONE(instruction, 15) ONE(instruction, 16) ONE(instruction, 17) ONE(instruction, 18) ONE(instruction, 19)  \
  ONE(instruction, 20) ONE(instruction, 21) ONE(instruction, 22) ONE(instruction, 23)
#define ONE(instruction, sum) instruction " %zmm30, %zmm31, %zmm" #sum "\n"
enum { SUMS = 24, REPEATS = 1000000, ROUNDS = 50 };

#define MEASURE(instruction, products)                                             \
  ({                                                                               \
    double best = 0;                                                               \
    for (int round = 0; round < ROUNDS; round++) {                                 \
      const double start = now();                                                  \
      for (int i = 0; i < REPEATS; i++) __asm__ volatile(EACH(instruction));       \
      const double rate = (double)SUMS * REPEATS * (products) / (now() - start);   \
      if (rate > best) best = rate;                                                \
    }                                                                              \
    best / 1e9;                                                                    \
  })

int main(void) {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bf16")) {
    fputs("This processor has no AVX512_BF16.\n", stderr);
    return 1;
  }
  __asm__ volatile("vpxord %zmm30, %zmm30, %zmm30\nvpxord %zmm31, %zmm31, %zmm31");
  const double floats = MEASURE("vfmadd231ps", 16), rounded = MEASURE("vdpbf16ps", 32);
  puts("| instruction | 10⁹ multiply-adds per second | ratio |\n|---|---|---|");
  printf("| `vfmadd231ps`, floats | %.1f | 1 |\n", floats);
  printf("| `vdpbf16ps`, bfloat16 | %.1f | %.2f |\n", rounded, rounded / floats);
}
C
gcc -O2 "$folder/rates.c" -o "$folder/rates"
"$folder/rates"
