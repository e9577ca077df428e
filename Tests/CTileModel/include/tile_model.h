// A model of AMX's tile instructions in plain C, and the kernel of Sources/CMicroKernels/amx.c compiled with it.
//
// Each function does what the pseudo-code of its instruction says: Intel 64 and IA-32 Architectures Software
// Developer's Manual (SDM), volume 2, under the instruction's name; faults are those of the exception classes AMX-E1 to
// E6 in its section 2.10. The state is that of the calling thread. What depends on the operating system, on interrupts
// and on transactions is left out.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rounded_kernels.h"

#pragma clang assume_nonnull begin

/// LDTILECFG and STTILECFG: 64 bytes of memory.
void tile_model_load_configuration(const void *memory);
void tile_model_store_configuration(void *memory);
/// TILERELEASE.
void tile_model_release(void);
/// TILEZERO.
void tile_model_zero(int tile);
/// TILELOADD, TILELOADDT1 and TILESTORED: rows of a tile that are `stride` bytes apart.
void tile_model_load(int tile, const void *memory, ptrdiff_t stride);
void tile_model_load_streaming(int tile, const void *memory, ptrdiff_t stride);
void tile_model_store(int tile, void *memory, ptrdiff_t stride);
/// TDPBF16PS: sums += a·b.
void tile_model_multiply(int sums, int a, int b);

/// a·b + c as TDPBF16PS computes it: rounded once, to nearest, ties to even, with denormal operands and results as
/// zeros.
float tile_model_multiply_add(float a, float b, float c);

/// From now on a fault in this thread is kept for `tile_model_take_fault`, and the instruction does nothing; or, as at
/// first, it ends the process with a message.
void tile_model_keep_faults(bool keeps);
/// The first fault since the last call, such as "LDTILECFG #GP: palette 2"; null if there was none.
const char *_Nullable tile_model_take_fault(void);

/// `ddpm_amx_kernel` on modelled tiles.
extern const struct ddpm_rounded_kernel ddpm_modelled_amx_kernel;

#pragma clang assume_nonnull end
