#!/usr/bin/env bash
# Measures training over several hosts with a slow network between them: with and without overlap, against PyTorch's
# DistributedDataParallel over gloo on the same hosts, and against what `ddpm-mpi plan` foresees. As root, on a machine
# that does nothing else; the hosts are made for it (scripts/shared/hosts.sh), with one rank each.
#
#   HOSTS="2 4"  RATE=1gbit       numbers of hosts, and what each may send
#   IMAGES=16  PRESET=cifar10     images per rank and step
#   ROUNDS=3  STEPS=3             each side is run so often, in turn, for so many steps
#   PYTHON=python3                one that has torch and diffusers; without them PyTorch is left out, and it says so
#   PROGRAM=.build/release/ddpm-mpi
set -euo pipefail
cd "$(dirname "$0")/../.."
exec "${PYTHON:-python3}" scripts/measure/scaling.py
