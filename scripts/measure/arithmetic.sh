#!/usr/bin/env bash
# Trains a small network with different arithmetic, from several seeds, and compares the mean losses of the last 50 steps
# and the Fréchet distances of samples. Prints a table in Markdown. Fails if a variant differs from the first one, seed
# by seed, by more than the seeds differ. Takes about four minutes for each run on two cores, or one and a half without
# samples.
#
#   VARIANTS="winograd direct"     of winograd, direct, values (model.precision=bfloat16) and operands
#                                  (model.convolution=bfloat16, which is slow without AMX); the first is compared with
#   SEEDS="1 2 3"
#   PRESET=quickstart
#   STEPS=300                      optimiser steps of each run
#   COUNT=2000                     samples of each model whose features are compared with the data set's; 0 for none
#   SAMPLING_STEPS=20              of DDIM
#   OUTPUT=/path/to/folder         where runs are kept; what is there is not repeated (default: a temporary folder)
#   PROGRAM=/path/to/ddpm-mpi
set -euo pipefail
cd "$(dirname "$0")/../.."
exec python3 scripts/measure/arithmetic.py
