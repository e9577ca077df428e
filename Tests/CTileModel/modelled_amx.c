// The AMX kernel, whose intrinsics are the model's functions here.
#include "tile_model.h"

#define _tile_loadconfig tile_model_load_configuration
#define _tile_release tile_model_release
#define _tile_zero tile_model_zero
#define _tile_loadd tile_model_load
#define _tile_stored tile_model_store
#define _tile_dpbf16ps tile_model_multiply

#define DDPM_TILES_ARE_MODELLED
#define ddpm_amx_kernel ddpm_modelled_amx_kernel
#include "../../Sources/CMicroKernels/amx.c"
