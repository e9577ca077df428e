// Permission to use the tiles of AMX.
#pragma once
#include <stdbool.h>

/// Asks the system to let all threads of this process use tiles, whose 8 KiB of state it does not save otherwise. False
/// if the processor or the system does not have them, or if permission is refused.
bool ddpm_request_tiles(void);
