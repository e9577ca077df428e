#!/usr/bin/env bash
# Shows how time and memory grow with the batch, the network's channels and the images' size, in tables in Markdown:
#   scripts/measure/growth.sh [batch|channels|resolution]...
# Beside the time of an image stands its arithmetic: with the batch neither should grow, with channels and resolution
# time should not grow faster than arithmetic. Takes about two minutes on two cores.
#
#   PRESET=quickstart  JOB=train   what is measured; JOB=sample for the network alone
#   RANKS=2  THREADS=1             by default one rank per core
#   MICRO_BATCH=4  STEPS=5         images that train together, steps per run
#   PROGRAM=/path/to/ddpm-mpi
set -euo pipefail
cd "$(dirname "$0")/../.."
exec python3 scripts/measure/growth.py "$@"
