#!/usr/bin/env bash
# Runs a program under MPI on this machine, with flags that suit it:
#   scripts/mpirun.sh RANKS PROGRAM [ARGUMENT]...
# THREADS=4 gives each rank four cores, for programs that run four threads. SHARED=yes is for a machine that runs other
# jobs too: ranks are not bound to cores, and a rank that waits yields its core.
set -euo pipefail

if (($# < 2)) || ! [[ $1 =~ ^[1-9][0-9]*$ ]]; then
  echo "Usage: scripts/mpirun.sh RANKS PROGRAM [ARGUMENT]..." >&2
  exit 2
fi
ranks=$1
shift
threads=${THREADS:-1}

if ! command -v mpirun >/dev/null; then
  echo "There is no mpirun here; scripts/install-dependencies.sh installs it." >&2
  exit 1
fi

cores=$("$(dirname "$0")/shared/count-cores.sh")
flags=()
if ((ranks * threads <= cores)) && [[ ${SHARED:-no} == no ]]; then
  flags+=(--map-by "slot:PE=$threads" --bind-to core)
else
  # More work than cores: let the system move ranks, and let a waiting rank give its core to one that computes.
  flags+=(--bind-to none --mca mpi_yield_when_idle 1)
  if ((ranks > cores)); then flags+=(--oversubscribe); fi
  # Linux's sched_yield gives a core away for hardly any time; this one does. It halves the time of jobs with more ranks
  # than cores.
  yield=$(dirname "$0")/../.build/yield.so
  if [[ $(dirname "$0")/shared/yield.c -nt $yield ]]; then
    cc -O2 -shared -fPIC -o "$yield.$$" "$(dirname "$0")/shared/yield.c" && mv "$yield.$$" "$yield"
  fi
  if [[ -e $yield ]]; then flags+=(-x "LD_PRELOAD=$(realpath "$yield")"); fi
fi

if ((EUID == 0)); then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
exec mpirun -n "$ranks" "${flags[@]}" "$@"
