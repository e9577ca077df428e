#!/usr/bin/env bash
# What happens to a job on a cluster: signals, time limits, killed ranks, two jobs in one folder (jobs), failures inside
# of a job, damaged checkpoints, full disks (faults), links that are cut (network), the batch scripts under a real SLURM
# (slurm). After each the run is resumed, mostly on another number of
# ranks, and must end with the bits of a run that nothing happened to. Names of parts run these alone:
#   scripts/test/cluster.sh slurm
# PROGRAM can be a build with another MPI library, and MPIRUN its launcher.
# network and slurm take root privileges; they make their hosts and their SLURM themselves, and take them away again.
set -euo pipefail
cd "$(dirname "$0")/../.."

parts=("$@")
if ((${#parts[@]} == 0)); then parts=(jobs faults network slurm); fi
for part in "${parts[@]}"; do
  if [[ ! $part =~ ^(jobs|faults|network|slurm)$ ]]; then
    echo "There is no part $part; the parts are jobs, faults, network and slurm." >&2
    exit 2
  fi
done

# shellcheck source=scripts/test/cluster/common.sh
source scripts/test/cluster/common.sh

start reference 2
ends reference 0

for part in "${parts[@]}"; do
  began=$SECONDS
  # shellcheck source=/dev/null
  source "scripts/test/cluster/$part.sh"
  echo "$part took $((SECONDS - began)) s"
done

echo
echo "$passed passed, $failed failed, $not_run not run"
((failed == 0))
