#pragma once

// The header of MPICH 5 and its relatives that declares MPI 5's standard ABI: a program compiled with it runs under
// every library that has the ABI.
#define MPI_ABI
#include "../shim.h"
