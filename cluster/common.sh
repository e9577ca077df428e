# shellcheck shell=bash
# Shared by the batch scripts of this folder, which `source` it: starts the ranks, passes on SLURM's signals, resumes a
# run that exists already, and requeues the job when there is more to do. Settings that differ between clusters are in
# site.sh.
set -euo pipefail

repository=${REPOSITORY:-$SLURM_SUBMIT_DIR}
# Modules of some sites use variables that are not set.
set +u
# shellcheck source=cluster/site.sh
source "$repository/cluster/site.sh"
set -u

# The job's name for scontrol. An array's last task has the same number as the whole array, and with that number
# scontrol would requeue all tasks.
job=$SLURM_JOB_ID
if [[ -n ${SLURM_ARRAY_JOB_ID:-} ]]; then job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID; fi

restarts=${SLURM_RESTART_COUNT:-0}
# After this many restarts, the job is requeued only if it has saved something new since its last start.
restarts_without_progress=3

ranks=        # the launcher's process, while it runs
signals=0     # how many SLURM has sent
last_signal=''
asking=       # the process that repeats the request to the ranks

# The launcher loses a request that comes while it is still starting the ranks, so the request is repeated. Repetitions
# have no effect on ranks that are already saving.
ask_ranks() {
  kill -USR1 "$ranks" 2>/dev/null || true
  if [[ -z $asking ]]; then
    while sleep 5 && kill -USR1 "$ranks"; do :; done >/dev/null 2>&1 &
    asking=$!
  fi
}

# Ranks always get USR1, whatever SLURM sent: on TERM srun and mpirun would end them.
ask_to_save() {
  signals=$((signals + 1))
  last_signal=$1
  echo "Job $job got the signal $1; its ranks are asked to save and stop."
  if [[ -n $ranks ]]; then ask_ranks; fi
}
trap 'ask_to_save USR1' USR1
trap 'ask_to_save TERM' TERM

# train OUTPUT [ARGUMENT]...: runs `ddpm-mpi train` on all ranks of the job, with OUTPUT as the run folder, and exits
# with its status.
train() {
  local output=$1 threads=${SLURM_CPUS_PER_TASK:-1} launch=() resume=() before
  shift
  if [[ ! -x $program ]]; then
    echo "There is no program $program; build it with scripts/build.sh, or set PROGRAM to its path." >&2
    exit 2
  fi
  choose_launch "$threads"
  if ! command -v "${launch[0]}" >/dev/null; then
    echo "There is no ${launch[0]} on $(hostname); load its module in cluster/site.sh, or use another LAUNCHER." >&2
    exit 2
  fi

  # Resume a run that the folder already holds, after a time limit, a preemption or a crash.
  before=$(newest_checkpoint "$output")
  if [[ -n $before || -e $output/config.yaml ]]; then resume=(--resume); fi
  echo "Job $job, start $((restarts + 1)), on $SLURM_JOB_NODELIST: training in $output${before:+, from $before}"

  "${launch[@]}" "${launcher_options[@]}" "$program" train --output "$output" --threads "$threads" "${resume[@]}" "$@" &
  ranks=$!
  # A signal may have come before the launcher started.
  if ((signals > 0)); then ask_ranks; fi

  # A trapped signal also ends the wait, so wait again until none came. If the launcher ended at the same time, the next
  # wait no longer knows it and returns 127.
  local status=127 code count=-1
  while ((count != signals)); do
    count=$signals
    code=0
    wait "$ranks" || code=$?
    if ((code != 127)); then status=$code; fi
  done
  ranks=
  if [[ -n $asking ]]; then kill "$asking" || true; fi
  leave "$status" "$output" "$before"
}

# choose_launch THREADS: sets `launch` to the command that starts the ranks, for the MPI library that the program was
# built with and what this SLURM offers.
choose_launch() {
  local threads=$1 family library interface=
  read -r family library < <("$program" mpi-library) || true
  case $launcher in
    srun)
      # An interface among the options is one that is known to work.
      if [[ " ${launcher_options[*]} " == *' --mpi='* ]] || ! command -v srun >/dev/null; then
        launch=(srun)
      elif interface=$(srun_interface "$family" "$library") && [[ -n $interface ]]; then
        launch=(srun "--mpi=$interface")
      else
        echo "Job $job: srun has no interface for this MPI library ($family; srun --mpi=list shows all)," \
          "so mpirun starts the ranks."
        launcher=mpirun
      fi
      ;;
    mpirun) ;;
    *)
      echo "LAUNCHER is $launcher; it must be srun or mpirun." >&2
      exit 2
      ;;
  esac
  if [[ $launcher == srun ]]; then
    # --cpus-per-task is repeated because since SLURM 22.05 srun does not inherit it from the job.
    # --kill-on-bad-exit ends the job when one rank fails, so that the others do not wait for it forever.
    launch+=(--cpus-per-task="$threads" --cpu-bind=cores --kill-on-bad-exit=1)
    return
  fi
  case $family in
    mpich)
      launch=("$mpirun" -n "$(task_count)")
      # Hydra takes each option once.
      if [[ "${launcher_options[*]}" != *-bind-to* ]]; then launch+=(-bind-to "core:$threads"); fi
      ;;
    # It divides the cores among the ranks by itself. Its mpirun is a shell script, which a signal ends without the
    # ranks; the program that the script calls passes signals on. As in the script, SLURM is to start its helpers.
    intel)
      if [[ -z ${I_MPI_HYDRA_BOOTSTRAP:-}${I_MPI_HYDRA_BOOTSTRAP_EXEC:-} ]]; then
        export I_MPI_HYDRA_BOOTSTRAP=slurm
      fi
      launch=("${mpirun/%mpirun/mpiexec.hydra}" -n "$(task_count)")
      ;;
    *) launch=("$mpirun" --map-by "slot:PE=$threads" --bind-to core) ;;
  esac
}

# srun_interface FAMILY FILE: prints by which interface srun can connect ranks of this MPI library, or nothing.
srun_interface() {
  local offered wanted
  # Debian's and most other builds of each library speak these.
  case $1 in
    # Cray's MPICH, in a folder such as /opt/cray/pe/lib64, speaks its own.
    mpich) if [[ $2 == */cray/* ]]; then wanted=cray_shasta; else wanted=pmi2; fi ;;
    # Intel MPI speaks SLURM's PMI-2 through SLURM's own library.
    intel) wanted=${I_MPI_PMI_LIBRARY:+pmi2} ;;
    *) wanted=pmix ;;
  esac
  if [[ -z $wanted ]]; then return; fi
  offered=$(srun --mpi=list 2>&1) || true
  if grep -qE "(^|[[:space:],:])$wanted([[:space:],]|$)" <<<"$offered"; then echo "$wanted"; fi
}

# task_count: prints the number of ranks of the job.
task_count() {
  # SLURM_TASKS_PER_NODE is such as 4(x2),3.
  awk -v tasks="${SLURM_NTASKS:-}" -v each="${SLURM_TASKS_PER_NODE:-1}" 'BEGIN {
    if (tasks != "") { print tasks; exit }
    parts = split(each, nodes, ",")
    for (i = 1; i <= parts; i++) {
      split(nodes[i], factors, /[(x)]+/)
      sum += factors[1] * (factors[2] ? factors[2] : 1)
    }
    print sum
  }'
}

# leave STATUS OUTPUT BEFORE: reports how training ended, and requeues the job if another start can continue the run.
# BEFORE is the newest checkpoint at the beginning of this start.
leave() {
  local status=$1 output=$2 before=$3 newest reason state
  newest=$(newest_checkpoint "$output")
  case $status in
    0)
      # srun can return 0 even if it could not start the ranks, and Open MPI 5's mpirun when it has lost a machine.
      if is_finished "$output"; then
        echo "Job $job is done; the run is in $output."
        exit 0
      fi
      status=1
      reason="the ranks ended, but the run in $output is not at its last step"
      ;;
    5) reason="training has saved $newest" ;;
    6) reason="training ended because a rank hung or a machine could not be reached" ;;
    # The status of Open MPI 4's mpirun when it has lost a machine.
    205) reason="a machine could not be reached any more" ;;
    *)
      # After SLURM's signal ranks may end in any way, if they cannot save yet or have no time for it.
      if ((signals == 0 || (status >= 2 && status <= 4))); then
        echo "Job $job ends with status $status, and does not return to the queue, since it would fail again." \
          "The messages above say why." >&2
        exit "$status"
      fi
      reason="training ended with status $status at the signal $last_signal"
      ;;
  esac

  if ((status != 5)) && [[ $newest == "$before" ]] && ((restarts >= restarts_without_progress)); then
    echo "Job $job: $reason. It does not return to the queue, since it has saved nothing new in start" \
      "$((restarts + 1)). Submit it again when the cause is gone." >&2
    exit "$status"
  fi
  # A cancelled job must not come back, and a job that SLURM is requeueing already needs no request.
  state=$(scontrol show job --oneliner "$job" | sed -n 's/.* JobState=\([A-Z_]*\).*/\1/p') || true
  # A controller that does not answer now may still take the request below.
  if [[ -n $state && $state != RUNNING ]]; then
    echo "Job $job: $reason. SLURM says that the job is $state. Unless SLURM starts it again, submit it again to go on."
    exit "$status"
  fi
  echo "Job $job: $reason. It returns to the queue and will resume from there."
  # SLURM terminates this script as soon as it has requeued the job.
  trap '' TERM
  if ! scontrol requeue "$job"; then
    echo "Job $job could not be requeued; submit it again to go on." >&2
  fi
  exit "$status"
}

# newest_checkpoint OUTPUT: prints its path, or nothing.
newest_checkpoint() { compgen -G "$1/checkpoints/step-*.h5" | sort | tail -n 1 || true; }

# is_finished OUTPUT: succeeds if there is a checkpoint of the last step.
is_finished() {
  local last newest
  if [[ ! -e $1/config.yaml ]]; then return 1; fi
  last=$(sed -n '/^training:/,/^[^ ]/s/^  steps: //p' "$1/config.yaml")
  newest=$(newest_checkpoint "$1" | sed 's/.*step-0*//; s/\.h5$//')
  ((${newest:-0} >= ${last:-1}))
}
