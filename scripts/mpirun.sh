#!/usr/bin/env bash
# Runs a program under MPI on this machine, with flags that suit it:
#   scripts/mpirun.sh RANKS PROGRAM [ARGUMENT]...
# THREADS=4 gives each rank four cores, for programs that run four threads. SHARED=yes is for a machine that runs other
# jobs too: ranks are not bound to cores, and a rank that waits yields its core. MPIRUN names the launcher, if it is not
# the mpirun that the shell finds: it must be that of the MPI library that the program was built with.
set -euo pipefail

if (($# < 2)) || ! [[ $1 =~ ^[1-9][0-9]*$ ]]; then
  echo "Usage: scripts/mpirun.sh RANKS PROGRAM [ARGUMENT]..." >&2
  exit 2
fi
ranks=$1
shift
threads=${THREADS:-1}

mpirun=${MPIRUN:-mpirun}

if ! command -v "$mpirun" >/dev/null; then
  echo "There is no $mpirun here; scripts/install-dependencies.sh installs an MPI, or name yours with MPIRUN." >&2
  exit 1
fi
case $("$mpirun" --version 2>&1) in
  # By the name of its launcher in some builds.
  *"Open MPI"* | *OpenRTE* | *PRRTE*) family=openmpi ;;
  *Intel*) family=intel ;;
  # Hydra, the launcher of MPICH and its relatives.
  *HYDRA*) family=mpich ;;
  *)
    echo "$mpirun is neither Open MPI's nor MPICH's nor Intel's; start the program with it by hand." >&2
    exit 1
    ;;
esac

cores=$("$(dirname "$0")/shared/count-cores.sh")
has_cores=no
if ((ranks * threads <= cores)) && [[ ${SHARED:-no} == no ]]; then has_cores=yes; fi

flags=()
preload=
if [[ $has_cores == no ]]; then
  # More work than cores: let the system move ranks, and let a waiting rank give its core to one that computes. Linux's
  # sched_yield gives a core away for hardly any time; this one does. It halves the time of jobs with more ranks than
  # cores.
  yield=$(dirname "$0")/../.build/yield.so
  if [[ $(dirname "$0")/shared/yield.c -nt $yield ]] &&
    found=$("$(dirname "$0")/shared/find-compiler.sh" 2>/dev/null); then
    mapfile -t compiler <<<"$found"
    "${compiler[@]}" -O2 -shared -fPIC -o "$yield.$$" "$(dirname "$0")/shared/yield.c" && mv "$yield.$$" "$yield"
  fi
  if [[ -e $yield ]]; then preload=$(realpath "$yield"); fi
fi

case $family in
  openmpi)
    if [[ $has_cores == yes ]]; then
      flags+=(--map-by "slot:PE=$threads" --bind-to core)
    else
      flags+=(--bind-to none --mca mpi_yield_when_idle 1)
      if ((ranks > cores)); then flags+=(--oversubscribe); fi
    fi
    if [[ -n $preload ]]; then flags+=(-x "LD_PRELOAD=$preload"); fi
    if ((EUID == 0)); then
      export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
      export PRTE_ALLOW_RUN_AS_ROOT=1 PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1
    fi
    ;;
  mpich)
    if [[ $has_cores == yes ]]; then flags+=(-bind-to "core:$threads"); else flags+=(-bind-to none); fi
    # All ranks are on this machine, which may have no network that is fit for use.
    export UCX_TLS=${UCX_TLS:-self,sm}
    ;;
  intel)
    # Its mpirun is a shell script, which a signal ends without the ranks; the program that it calls passes signals on.
    mpirun=${mpirun/%mpirun/mpiexec.hydra}
    # Otherwise it divides the cores among the ranks by itself.
    if [[ $has_cores == no ]]; then export I_MPI_PIN=off; fi
    export I_MPI_FABRICS=${I_MPI_FABRICS:-shm}
    ;;
esac
if [[ $family != openmpi && -n $preload ]]; then flags+=(-genv LD_PRELOAD "$preload"); fi

exec "$mpirun" -n "$ranks" "${flags[@]}" "$@"
