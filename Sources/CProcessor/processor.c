#define _GNU_SOURCE
#include "processor.h"

#include <errno.h>
#include <gnu/libc-version.h>
#include <sched.h>
#include <string.h>

#include "build_target.h"

struct feature {
  unsigned bit;
  const char *name;
};

static const struct feature features[] = {
    {DDPM_FEATURE_SSE4_2, "sse4.2"},
    {DDPM_FEATURE_POPCNT, "popcnt"},
    {DDPM_FEATURE_MOVBE, "movbe"},
    {DDPM_FEATURE_AVX, "avx"},
    {DDPM_FEATURE_AVX2, "avx2"},
    {DDPM_FEATURE_FMA, "fma"},
    {DDPM_FEATURE_BMI1, "bmi1"},
    {DDPM_FEATURE_BMI2, "bmi2"},
    {DDPM_FEATURE_LZCNT, "lzcnt"},
    {DDPM_FEATURE_F16C, "f16c"},
    {DDPM_FEATURE_GFNI, "gfni"},
    {DDPM_FEATURE_AVX512F, "avx512f"},
    {DDPM_FEATURE_AVX512CD, "avx512cd"},
    {DDPM_FEATURE_AVX512BW, "avx512bw"},
    {DDPM_FEATURE_AVX512DQ, "avx512dq"},
    {DDPM_FEATURE_AVX512VL, "avx512vl"},
    {DDPM_FEATURE_AVX512IFMA, "avx512ifma"},
    {DDPM_FEATURE_AVX512VBMI, "avx512vbmi"},
    {DDPM_FEATURE_AVX512VBMI2, "avx512vbmi2"},
    {DDPM_FEATURE_AVX512VNNI, "avx512vnni"},
    {DDPM_FEATURE_AVX512BITALG, "avx512bitalg"},
    {DDPM_FEATURE_AVX512VPOPCNTDQ, "avx512vpopcntdq"},
    {DDPM_FEATURE_AVX512BF16, "avx512bf16"},
    {DDPM_FEATURE_AVX512FP16, "avx512fp16"},
    {DDPM_FEATURE_AMX_BF16, "amx-bf16"},
    {DDPM_FEATURE_LSE, "lse"},
    {DDPM_FEATURE_FP16, "fp16"},
    {DDPM_FEATURE_DOTPROD, "dotprod"},
    {DDPM_FEATURE_SVE, "sve"},
    {DDPM_FEATURE_SVE2, "sve2"},
    {DDPM_FEATURE_BF16, "bf16"},
    {DDPM_FEATURE_I8MM, "i8mm"},
};

#if defined(__x86_64__)
#include <cpuid.h>

// The bits of XCR0 specify which registers the operating system saves.
static unsigned long long saved_registers(void) {
  unsigned low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return ((unsigned long long)high << 32) | low;
}

unsigned ddpm_processor_features(void) {
  unsigned a, b, c, d, found = 0;
  if (__get_cpuid(0x80000001, &a, &b, &c, &d) && (c & (1u << 5))) found |= DDPM_FEATURE_LZCNT;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return found;
  if (c & (1u << 20)) found |= DDPM_FEATURE_SSE4_2;
  if (c & (1u << 22)) found |= DDPM_FEATURE_MOVBE;
  if (c & (1u << 23)) found |= DDPM_FEATURE_POPCNT;
  if (!(c & (1u << 27))) return found;
  unsigned long long saved = saved_registers();
  if ((saved & 0x6) != 0x6) return found;
  if (c & (1u << 28)) found |= DDPM_FEATURE_AVX;
  if (c & (1u << 12)) found |= DDPM_FEATURE_FMA;
  if (c & (1u << 29)) found |= DDPM_FEATURE_F16C;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return found;
  if (b & (1u << 3)) found |= DDPM_FEATURE_BMI1;
  if (b & (1u << 5)) found |= DDPM_FEATURE_AVX2;
  if (b & (1u << 8)) found |= DDPM_FEATURE_BMI2;
  if (c & (1u << 8)) found |= DDPM_FEATURE_GFNI;
  const unsigned amx = 1u << 22 | 1u << 24;  // AMX-BF16 and AMX-TILE; XCR0 has TILECFG and TILEDATA.
  if ((d & amx) == amx && (saved & 0x60000) == 0x60000) found |= DDPM_FEATURE_AMX_BF16;
  if ((saved & 0xe6) != 0xe6) return found;
  if (b & (1u << 16)) found |= DDPM_FEATURE_AVX512F;
  if (b & (1u << 17)) found |= DDPM_FEATURE_AVX512DQ;
  if (b & (1u << 21)) found |= DDPM_FEATURE_AVX512IFMA;
  if (b & (1u << 28)) found |= DDPM_FEATURE_AVX512CD;
  if (b & (1u << 30)) found |= DDPM_FEATURE_AVX512BW;
  if (b & (1u << 31)) found |= DDPM_FEATURE_AVX512VL;
  if (c & (1u << 1)) found |= DDPM_FEATURE_AVX512VBMI;
  if (c & (1u << 6)) found |= DDPM_FEATURE_AVX512VBMI2;
  if (c & (1u << 11)) found |= DDPM_FEATURE_AVX512VNNI;
  if (c & (1u << 12)) found |= DDPM_FEATURE_AVX512BITALG;
  if (c & (1u << 14)) found |= DDPM_FEATURE_AVX512VPOPCNTDQ;
  if (d & (1u << 23)) found |= DDPM_FEATURE_AVX512FP16;
  if (__get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & (1u << 5))) found |= DDPM_FEATURE_AVX512BF16;
  return found;
}
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>

unsigned ddpm_processor_features(void) {
  unsigned long first = getauxval(AT_HWCAP), second = getauxval(AT_HWCAP2);
  unsigned found = 0;
  if (first & HWCAP_ATOMICS) found |= DDPM_FEATURE_LSE;
  if (first & HWCAP_ASIMDHP) found |= DDPM_FEATURE_FP16;
  if (first & HWCAP_ASIMDDP) found |= DDPM_FEATURE_DOTPROD;
  if (first & HWCAP_SVE) found |= DDPM_FEATURE_SVE;
  if (second & HWCAP2_SVE2) found |= DDPM_FEATURE_SVE2;
  if (second & HWCAP2_BF16) found |= DDPM_FEATURE_BF16;
  if (second & HWCAP2_I8MM) found |= DDPM_FEATURE_I8MM;
  return found;
}
#else
unsigned ddpm_processor_features(void) { return 0; }
#endif

void ddpm_feature_names(unsigned set, char *text, size_t capacity) {
  if (capacity == 0) return;
  text[0] = 0;
  for (size_t i = 0; i < sizeof features / sizeof features[0]; i++) {
    if (!(set & features[i].bit)) continue;
    if (text[0]) strncat(text, ", ", capacity - strlen(text) - 1);
    strncat(text, features[i].name, capacity - strlen(text) - 1);
  }
}

int ddpm_usable_processors(int *numbers, int capacity) {
  // The system rejects sets that are smaller than its own.
  for (int size = 1024; size <= 1 << 20; size *= 2) {
    cpu_set_t *set = CPU_ALLOC(size);
    if (!set) return -1;
    int status = sched_getaffinity(0, CPU_ALLOC_SIZE(size), set);
    int code = errno;
    int count = 0;
    for (int number = 0; status == 0 && number < size; number++) {
      if (!CPU_ISSET_S(number, CPU_ALLOC_SIZE(size), set)) continue;
      if (count < capacity) numbers[count] = number;
      count++;
    }
    CPU_FREE(set);
    if (status == 0) return count;
    if (code != EINVAL) return -1;
  }
  return -1;
}

const char *ddpm_c_library_version(void) { return gnu_get_libc_version(); }
