#pragma once

/// A word of the command line that started the program, whose name is word 0; NULL after the last one.
const char *ddpm_argument(int index);
