// The features that kernels may use, determined by the compiler flags that all numeric targets share (see
// Package.swift).
#pragma once
#include <stdint.h>

/// Width in bits of the vectors that the kernels are written for on this target.
#if defined(__AVX512F__)
#define DDPM_VECTOR_BITS 512
#elif defined(__AVX__)
#define DDPM_VECTOR_BITS 256
#else
#define DDPM_VECTOR_BITS 128
#endif

/// The instruction sets that code for this build may contain, one bit each.
enum ddpm_processor_feature {
  DDPM_FEATURE_AVX = 1 << 0,
  DDPM_FEATURE_AVX2 = 1 << 1,
  DDPM_FEATURE_FMA = 1 << 2,
  DDPM_FEATURE_BMI2 = 1 << 3,
  DDPM_FEATURE_F16C = 1 << 4,
  DDPM_FEATURE_AVX512F = 1 << 5,
  DDPM_FEATURE_AVX512BW = 1 << 6,
  DDPM_FEATURE_AVX512DQ = 1 << 7,
  DDPM_FEATURE_AVX512VL = 1 << 8,
  DDPM_FEATURE_AVX512VBMI = 1 << 9,
  DDPM_FEATURE_AVX512VNNI = 1 << 10,
  DDPM_FEATURE_AVX512BF16 = 1 << 11,
  DDPM_FEATURE_AVX512FP16 = 1 << 12,
  DDPM_FEATURE_SSE4_2 = 1 << 13,
  DDPM_FEATURE_POPCNT = 1 << 14,
  DDPM_FEATURE_MOVBE = 1 << 15,
  DDPM_FEATURE_BMI1 = 1 << 16,
  DDPM_FEATURE_LZCNT = 1 << 17,
  DDPM_FEATURE_AVX512CD = 1 << 18,
  DDPM_FEATURE_AVX512IFMA = 1 << 19,
  DDPM_FEATURE_AVX512VBMI2 = 1 << 20,
  DDPM_FEATURE_GFNI = 1 << 21,
  DDPM_FEATURE_AVX512BITALG = 1 << 22,
  DDPM_FEATURE_AVX512VPOPCNTDQ = 1 << 23,
  // arm64.
  DDPM_FEATURE_LSE = 1 << 24,
  DDPM_FEATURE_FP16 = 1 << 25,
  DDPM_FEATURE_DOTPROD = 1 << 26,
  DDPM_FEATURE_SVE = 1 << 27,
  DDPM_FEATURE_SVE2 = 1 << 28,
  DDPM_FEATURE_BF16 = 1 << 29,
  DDPM_FEATURE_I8MM = 1 << 30,
  // Tiles and their products of bfloat16 numbers, with the system's support. No build needs them: compilers use them
  // only where they are told to.
  DDPM_FEATURE_AMX_BF16 = 1u << 31,
};

#define DDPM_NOTE_NAME "ddpm-mpi"
#define DDPM_NOTE_TYPE 1

/// The requirements of a build, as an ELF note, so that they can be read from its file too. Data only, never code: it
/// must be readable on a processor that lacks the features.
struct ddpm_build_note {
  uint32_t name_size, description_size, type;
  char name[12];
  /// Bits of `enum ddpm_processor_feature`.
  uint32_t features;
  /// The processor as the compiler was given it, such as x86-64-v3, or native.
  char processor[32];
};

extern const struct ddpm_build_note ddpm_build;

/// The processor that this build was compiled for, as the compiler was given it.
static inline const char *ddpm_build_processor(void) { return ddpm_build.processor; }
