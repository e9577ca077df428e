#include "build_target.h"

#include <stddef.h>

// The compiler is given the processor's name without quotes.
#define QUOTED_TEXT(text) #text
#define QUOTED(text) QUOTED_TEXT(text)
#ifndef DDPM_TARGET_PROCESSOR
#define DDPM_TARGET_PROCESSOR unknown
#endif

enum {
  build_features = 0
#ifdef __SSE4_2__
      | DDPM_FEATURE_SSE4_2
#endif
#ifdef __POPCNT__
      | DDPM_FEATURE_POPCNT
#endif
#ifdef __MOVBE__
      | DDPM_FEATURE_MOVBE
#endif
#ifdef __BMI__
      | DDPM_FEATURE_BMI1
#endif
#ifdef __LZCNT__
      | DDPM_FEATURE_LZCNT
#endif
#ifdef __AVX__
      | DDPM_FEATURE_AVX
#endif
#ifdef __AVX2__
      | DDPM_FEATURE_AVX2
#endif
#ifdef __FMA__
      | DDPM_FEATURE_FMA
#endif
#ifdef __BMI2__
      | DDPM_FEATURE_BMI2
#endif
#ifdef __F16C__
      | DDPM_FEATURE_F16C
#endif
#ifdef __GFNI__
      | DDPM_FEATURE_GFNI
#endif
#ifdef __AVX512F__
      | DDPM_FEATURE_AVX512F
#endif
#ifdef __AVX512CD__
      | DDPM_FEATURE_AVX512CD
#endif
#ifdef __AVX512BW__
      | DDPM_FEATURE_AVX512BW
#endif
#ifdef __AVX512DQ__
      | DDPM_FEATURE_AVX512DQ
#endif
#ifdef __AVX512VL__
      | DDPM_FEATURE_AVX512VL
#endif
#ifdef __AVX512IFMA__
      | DDPM_FEATURE_AVX512IFMA
#endif
#ifdef __AVX512VBMI__
      | DDPM_FEATURE_AVX512VBMI
#endif
#ifdef __AVX512VBMI2__
      | DDPM_FEATURE_AVX512VBMI2
#endif
#ifdef __AVX512VNNI__
      | DDPM_FEATURE_AVX512VNNI
#endif
#ifdef __AVX512BITALG__
      | DDPM_FEATURE_AVX512BITALG
#endif
#ifdef __AVX512VPOPCNTDQ__
      | DDPM_FEATURE_AVX512VPOPCNTDQ
#endif
#ifdef __AVX512BF16__
      | DDPM_FEATURE_AVX512BF16
#endif
#ifdef __AVX512FP16__
      | DDPM_FEATURE_AVX512FP16
#endif
#ifdef __ARM_FEATURE_ATOMICS
      | DDPM_FEATURE_LSE
#endif
#ifdef __ARM_FEATURE_FP16_VECTOR_ARITHMETIC
      | DDPM_FEATURE_FP16
#endif
#ifdef __ARM_FEATURE_DOTPROD
      | DDPM_FEATURE_DOTPROD
#endif
#ifdef __ARM_FEATURE_SVE
      | DDPM_FEATURE_SVE
#endif
#ifdef __ARM_FEATURE_SVE2
      | DDPM_FEATURE_SVE2
#endif
#ifdef __ARM_FEATURE_BF16
      | DDPM_FEATURE_BF16
#endif
#ifdef __ARM_FEATURE_MATMUL_INT8
      | DDPM_FEATURE_I8MM
#endif
};

__attribute__((section(".note.ddpm-mpi"), aligned(4), used)) const struct ddpm_build_note ddpm_build = {
    .name_size = sizeof DDPM_NOTE_NAME,
    .description_size = sizeof(struct ddpm_build_note) - offsetof(struct ddpm_build_note, features),
    .type = DDPM_NOTE_TYPE,
    .name = DDPM_NOTE_NAME,
    .features = build_features,
    .processor = QUOTED(DDPM_TARGET_PROCESSOR),
};
