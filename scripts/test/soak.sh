#!/usr/bin/env bash
# Trains for half an hour while something happens every minute or so, and compares the end with a run to which nothing
# happened: a rank or mpirun is killed, a rank is stopped, a rank or mpirun is asked to save and stop; then the run is
# resumed, on another number of ranks. It must end with the same bits.
#
#   scripts/test/soak.sh [MINUTES]      then as long again, or less, for the run to compare with
#   SEED=1  RANKS="1 2 3 4"        what happens when, and the numbers of ranks to choose from
#   HANG_SECONDS=10                after which a stopped rank ends the job; more where other work delays ranks
#   PROGRAM=.build/release/ddpm-mpi
set -euo pipefail
cd "$(dirname "$0")/../.."

minutes=${1:-30}
read -ra choices <<<"${RANKS:-1 2 3 4}"
program=$(realpath "${PROGRAM:-.build/release/ddpm-mpi}")
mpirun=$PWD/scripts/mpirun.sh
RANDOM=${SEED:-1}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

config=(--preset shapes --set training.batch=16 --set training.micro_batch=2 --set training.checkpoint_every=50
  --set training.sample_every=1000000 --set training.log_every=10 --set training.hang_timeout_seconds=${HANG_SECONDS:-10}
  --set training.save_timeout_seconds=60 --set sampling.count=2 --set sampling.steps=2)
forever=100000000

# train FOLDER RANKS STEPS [ARGUMENT]...
train() {
  local output=$1 ranks=$2 steps=$3
  shift 3
  exec "$mpirun" "$ranks" "$program" train "${config[@]}" --set "training.steps=$steps" --output "$output" "$@"
}

ranks_of_run() { pgrep -f "^$program train .*--output $folder/soak" || true; }
last_step() { { grep -aoE '^step [0-9]+' "$folder/log" || true; } | tail -1 | cut -d' ' -f2; }
some() { echo "${@:RANDOM % $# + 1:1}"; }

declare -A happened=()
resume=()
end=$((SECONDS + 60 * minutes))
: >"$folder/log"
while ((SECONDS < end)); do
  ranks=$(some "${choices[@]}")
  train "$folder/soak" "$ranks" "$forever" "${resume[@]}" >>"$folder/log" 2>&1 &
  job=$!
  resume=(--resume)
  pause=$((20 + RANDOM % 60))
  for ((second = 0; second < pause && SECONDS < end; second++)); do
    sleep 1
    kill -0 "$job" 2>/dev/null || break
  done
  if ! kill -0 "$job" 2>/dev/null; then
    echo "The job ended by itself:" >&2
    tail -20 "$folder/log" >&2
    exit 1
  fi
  mapfile -t processes < <(ranks_of_run)
  event=$(some kill-rank kill-rank kill-mpirun stop-rank signal-rank signal-mpirun terminate-mpirun)
  # Nothing watches a single rank.
  if ((${#processes[@]} < 2)) && [[ $event == stop-rank ]]; then event=kill-rank; fi
  case $event in
    kill-rank) kill -9 "$(some "${processes[@]}")" ;;
    kill-mpirun) kill -9 "$job" ;;
    stop-rank) kill -STOP "$(some "${processes[@]}")" ;;
    signal-rank) kill -USR1 "$(some "${processes[@]}")" ;;
    signal-mpirun) kill -USR1 "$job" ;;
    terminate-mpirun) kill -TERM "$job" ;;
  esac
  status=0
  wait "$job" 2>/dev/null || status=$?
  for ((second = 0; second < 30 + ${HANG_SECONDS:-10}; second++)); do
    [[ -z $(ranks_of_run) ]] && break
    sleep 1
  done
  if [[ -n $(ranks_of_run) ]]; then
    echo "After $event ranks are left running." >&2
    exit 1
  fi
  happened[$event]=$((${happened[$event]:-0} + 1))
  echo "$(date +%T) $event on $ranks ranks near step $(last_step): status $status"
done

steps=$(($(last_step) + 100))
ranks=$(some "${choices[@]}")
finish() {
  (train "$@") >>"$folder/log" 2>&1 && return
  echo "The run did not reach its end:" >&2
  tail -20 "$folder/log" >&2
  exit 1
}
finish "$folder/soak" "$ranks" "$steps" --resume
echo "$(date +%T) ended at step $steps on $ranks ranks; now the same without interruption"
finish "$folder/quiet" 2 "$steps"
file=checkpoints/step-$(printf %08d "$steps").h5
if h5diff "$folder/soak/$file" "$folder/quiet/$file"; then
  for event in "${!happened[@]}"; do echo "$event: ${happened[$event]}"; done
  echo "The same bits after $steps steps."
else
  echo "Other bits after $steps steps." >&2
  exit 1
fi
