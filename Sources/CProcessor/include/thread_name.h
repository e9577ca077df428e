#pragma once

/// Names the calling thread, in at most 15 bytes: pthread_setname_np(3), which Swift does not import.
void ddpm_name_thread(const char *name);
