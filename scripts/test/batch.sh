#!/usr/bin/env bash
# The batch scripts without SLURM: how they start ranks for each MPI library and each list of what srun offers, and what
# they make of the launcher's status. SLURM's commands, the launchers and the program are stand-ins. Each case prints
# one line.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/shared/cases.sh

tools=$folder/tools
mkdir "$tools"
# Prints how it was called, saves the checkpoint of step SAVED, and ends with STATUS. With ASKED it has the script get
# SLURM's signal, and ends when asked for the second time, as if its ranks had not been there at the first.
cat >"$tools/launcher" <<'SH'
#!/bin/sh
if [ "$1" = --mpi=list ]; then
  printf 'MPI plugin types are...\n%s\n' "$OFFERED"
  exit
fi
echo "launched: $(basename "$0") $*"
if [ -n "$I_MPI_HYDRA_BOOTSTRAP" ]; then echo "by way of $I_MPI_HYDRA_BOOTSTRAP"; fi
mkdir -p "$OUTPUT/checkpoints"
printf 'training:\n  batch: 8\n  steps: 60\nsampling:\n  steps: 5\n' >"$OUTPUT/config.yaml"
[ -z "$SAVED" ] || : >"$OUTPUT/checkpoints/step-$SAVED.h5"
if [ -n "$ASKED" ]; then
  requests=0
  trap 'requests=$((requests + 1))' USR1
  kill -USR1 $PPID
  while [ $requests -lt 2 ]; do sleep 0.1; done
fi
exit "${STATUS:-0}"
SH
# Without a STATE, the controller does not answer questions.
cat >"$tools/scontrol" <<'SH'
#!/bin/sh
case $1 in
  show)
    [ -n "$STATE" ] || exit 1
    echo "JobId=7 JobName=x JobState=$STATE Reason=None"
    ;;
  requeue) echo "requeued $2" ;;
esac
SH
cat >"$tools/program" <<'SH'
#!/bin/sh
echo "$FAMILY ${LIBRARY:-/usr/lib/libmpi.so}"
SH
for name in srun mpirun mpiexec.hydra; do ln -s launcher "$tools/$name"; done
chmod +x "$tools"/*

# job STATUS TEXT [VARIABLE=VALUE]...: the status of cluster/train.sbatch and what it says.
job() {
  local status=$1 text=$2
  shift 2
  rm -rf "$folder/run"
  run "$status" "$text" env -i PATH="$tools:$PATH" SLURM_JOB_ID=7 SLURM_JOB_NAME=x SLURM_JOB_NODELIST=h1 \
    SLURM_NTASKS=4 SLURM_SUBMIT_DIR="$PWD" PROGRAM="$tools/program" OUTPUT="$folder/run" FAMILY=openmpi \
    OFFERED='none pmi2 pmix pmix_v4' SAVED= STATE=RUNNING "$@" bash cluster/train.sbatch
}

job 0 'launched: srun --mpi=pmix --cpus-per-task=1' SAVED=00000060
job 0 'launched: srun --mpi=pmi2 --cpus-per-task=1' SAVED=00000060 FAMILY=mpich
job 0 'launched: srun --mpi=pmi2 ' SAVED=00000060 FAMILY=intel I_MPI_PMI_LIBRARY=/usr/lib64/libpmi2.so
job 0 'launched: mpirun --map-by slot:PE=1 --bind-to core' SAVED=00000060 OFFERED='none pmi2'
check "... with a line that says so" grep -q 'srun has no interface for this MPI library (openmpi;' "$log"
job 0 'launched: mpirun -n 4 -bind-to core:2 ' SAVED=00000060 FAMILY=mpich OFFERED=none SLURM_CPUS_PER_TASK=2
job 0 'launched: srun --cpus-per-task=1 .* --mpi=pmix_v3 ' SAVED=00000060 LAUNCHER_OPTIONS=--mpi=pmix_v3
job 0 'launched: mpirun --map-by slot:PE=1 ' SAVED=00000060 LAUNCHER=mpirun
job 2 'LAUNCHER is ssh; it must be srun or mpirun' LAUNCHER=ssh
job 2 'There is no mpirun-5 on .*; load its module' LAUNCHER=mpirun MPIRUN=mpirun-5

# Intel MPI's mpirun is a script, which a signal would end without the ranks.
job 0 'launched: mpiexec.hydra -n 4 ' SAVED=00000060 FAMILY=intel
check "... by way of SLURM" grep -qx 'by way of slurm' "$log"
check "... since srun has no interface" grep -q 'srun has no interface for this MPI library (intel' "$log"
job 0 'launched: mpiexec.hydra -n 7 ' SAVED=00000060 FAMILY=intel LAUNCHER=mpirun MPIRUN="$tools/mpirun" \
  SLURM_NTASKS= SLURM_TASKS_PER_NODE='2(x2),3'

# Cray's MPICH says that it is MPICH; its file tells.
job 0 'launched: srun --mpi=cray_shasta ' SAVED=00000060 FAMILY=mpich OFFERED='none cray_shasta pmi2' \
  LIBRARY=/opt/cray/pe/mpich/8.1.28/ofi/gnu/12.3/lib/libmpi_gnu_123.so.12.0.0

# A status of 0 is no proof.
job 1 'the ranks ended, but the run in .* is not at its last step. It returns to the queue' SAVED=00000040
check "... and it does" grep -q '^requeued 7$' "$log"
job 5 'training has saved .*step-00000040.h5. It returns to the queue' SAVED=00000040 STATUS=5
job 5 'got the signal USR1; its ranks are asked to save and stop' ASKED=yes SAVED=00000040 STATUS=5
check "... until they do" grep -q 'training has saved .*step-00000040.h5. It returns to the queue' "$log"
job 205 'a machine could not be reached any more. It returns' STATUS=205
job 6 'a rank hung or a machine could not be reached' STATUS=6
job 2 'ends with status 2, and does not return to the queue' STATUS=2
check "... nor does it" test "$(grep -c requeued "$log")" = 0
job 6 'It does not return to the queue, since it has saved nothing new in start 4' STATUS=6 SLURM_RESTART_COUNT=3
job 6 'It returns to the queue' SAVED=00000040 STATUS=6 SLURM_RESTART_COUNT=3
job 5 'SLURM says that the job is CANCELLED' SAVED=00000040 STATUS=5 STATE=CANCELLED
check "... so it stays away" test "$(grep -c requeued "$log")" = 0
job 5 'It returns to the queue' SAVED=00000040 STATUS=5 STATE=
check "... though the controller has not answered" grep -q '^requeued 7$' "$log"

# A site's modules may use variables that are not set. The job's own script must not.
mkdir -p "$folder/site/cluster"
cp cluster/common.sh "$folder/site/cluster"
{
  # shellcheck disable=SC2016 # expanded by the job
  echo 'PATH=$PATH${ADDED_BY_A_MODULE}'
  cat cluster/site.sh
} >"$folder/site/cluster/site.sh"
job 0 'Job 7 is done' SAVED=00000060 REPOSITORY="$folder/site"
finish
