# shellcheck shell=bash
# What the batch scripts of this folder do alike: start the ranks, pass on SLURM's signals, go on with a run that is
# there already, and return to the queue when there is more to do. They `source` it; what differs between clusters is in
# site.sh.
set -euo pipefail

repository=${DDPM_MPI:-$SLURM_SUBMIT_DIR}
# shellcheck source=cluster/site.sh
source "$repository/cluster/site.sh"

# What scontrol calls this job. An array's last task has the number of the whole array as its own, and with that number
# scontrol would requeue all tasks.
job=$SLURM_JOB_ID
if [[ -n ${SLURM_ARRAY_JOB_ID:-} ]]; then job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID; fi

restarts=${SLURM_RESTART_COUNT:-0}
# After so many a job returns to the queue only if it has saved something new since its last start.
restarts_without_progress=3

ranks=        # the launcher's process, while there is one
signals=0     # that SLURM sent
last_signal=''

# Ranks are asked with USR1, whatever SLURM sent: at TERM srun and mpirun would end them.
ask_to_save() {
  signals=$((signals + 1))
  last_signal=$1
  echo "Job $job got the signal $1; its ranks are asked to save and stop."
  if [[ -n $ranks ]]; then kill -USR1 "$ranks" 2>/dev/null || true; fi
}
trap 'ask_to_save USR1' USR1
trap 'ask_to_save TERM' TERM

# train OUTPUT [ARGUMENT]...: runs `ddpm-mpi train` on all ranks of the job, in a run's folder, and ends the script with
# its status.
train() {
  local output=$1 threads=${SLURM_CPUS_PER_TASK:-1} launch resume=() before
  shift
  if [[ ! -x $program ]]; then
    echo "There is no program $program; build it with scripts/build.sh, or set PROGRAM to its path." >&2
    exit 2
  fi
  case $launcher in
    srun)
      # --cpus-per-task is repeated because srun does not take it from the job since SLURM 22.05.
      # --kill-on-bad-exit ends the job when one rank fails, so that the others do not wait for it for ever.
      launch=(srun --mpi=pmix --cpus-per-task="$threads" --cpu-bind=cores --kill-on-bad-exit=1)
      ;;
    mpirun)
      launch=(mpirun --map-by "slot:PE=$threads" --bind-to core)
      ;;
    *)
      echo "LAUNCHER is $launcher; it must be srun or mpirun." >&2
      exit 2
      ;;
  esac
  if ! command -v "${launch[0]}" >/dev/null; then
    echo "There is no ${launch[0]} on $(hostname); load its module in cluster/site.sh, or take another LAUNCHER." >&2
    exit 2
  fi

  # A folder that holds a run already is gone on with: after a time limit, a preemption or a crash.
  before=$(newest_checkpoint "$output")
  if [[ -n $before || -e $output/config.yaml ]]; then resume=(--resume); fi
  echo "Job $job, start $((restarts + 1)), on $SLURM_JOB_NODELIST: training in $output${before:+, from $before}"

  "${launch[@]}" "${launcher_options[@]}" "$program" train --output "$output" --threads "$threads" "${resume[@]}" "$@" &
  ranks=$!
  # For a signal that came before there was a launcher.
  if ((signals > 0)); then kill -USR1 "$ranks" 2>/dev/null || true; fi

  # A trapped signal ends the wait as well, so this waits until none came. If the launcher ended at the same time, the
  # next wait does not know it any more, and says 127.
  local status=127 code count=-1
  while ((count != signals)); do
    count=$signals
    code=0
    wait "$ranks" || code=$?
    if ((code != 127)); then status=$code; fi
  done
  ranks=
  leave "$status" "$output" "$before"
}

# leave STATUS OUTPUT BEFORE: says how training ended, and returns the job to the queue if another start will go on with
# it. BEFORE is the newest checkpoint when this start began.
leave() {
  local status=$1 output=$2 before=$3 newest reason state
  newest=$(newest_checkpoint "$output")
  case $status in
    0)
      # srun can say so although it could not start the ranks.
      if is_finished "$output"; then
        echo "Job $job is done; the run is in $output."
        exit 0
      fi
      status=1
      reason="the ranks ended, but the run in $output is not at its last step"
      ;;
    5) reason="training has saved $newest" ;;
    6) reason="training ended because a rank hung" ;;
    # What mpirun says when it has lost a machine.
    205) reason="a machine could not be reached any more" ;;
    *)
      # At SLURM's signal ranks may end in any way, if they are not yet ready to save, or have no time for it.
      if ((signals == 0 || (status >= 2 && status <= 4))); then
        echo "Job $job ends with status $status, and does not return to the queue, since it would fail again. The messages above say why." >&2
        exit "$status"
      fi
      reason="training ended with status $status at the signal $last_signal"
      ;;
  esac

  if ((status != 5)) && [[ $newest == "$before" ]] && ((restarts >= restarts_without_progress)); then
    echo "Job $job: $reason. It does not return to the queue, since it has saved nothing new in start $((restarts + 1)). Submit it again when the cause is gone." >&2
    exit "$status"
  fi
  # A job that was cancelled must not come back, and one that SLURM requeues need not be told to.
  state=$(scontrol show job --oneliner "$job" | sed -n 's/.* JobState=\([A-Z_]*\).*/\1/p')
  if [[ $state != RUNNING ]]; then
    echo "Job $job: $reason. SLURM says that the job is $state. Unless SLURM starts it again, submit it again to go on."
    exit "$status"
  fi
  echo "Job $job: $reason. It returns to the queue and goes on from there when it is started again."
  # SLURM ends this script as soon as it has requeued the job.
  trap '' TERM
  if ! scontrol requeue "$job"; then
    echo "Job $job could not be requeued; submit it again to go on." >&2
  fi
  exit "$status"
}

# newest_checkpoint OUTPUT: its path, or nothing.
newest_checkpoint() { compgen -G "$1/checkpoints/step-*.h5" | sort | tail -n 1 || true; }

# is_finished OUTPUT: whether there is a checkpoint of the last step.
is_finished() {
  local last newest
  if [[ ! -e $1/config.yaml ]]; then return 1; fi
  last=$(sed -n '/^training:/,/^[^ ]/s/^  steps: //p' "$1/config.yaml")
  newest=$(newest_checkpoint "$1" | sed 's/.*step-0*//; s/\.h5$//')
  ((${newest:-0} >= ${last:-1}))
}
