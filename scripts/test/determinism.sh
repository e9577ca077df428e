#!/usr/bin/env bash
# The promise that nothing but the configuration decides the bits: trains the same 20 steps on several numbers of
# ranks and threads, and once in two halves with a kill between them, and compares every tensor and every sample.
# PROGRAM can be another build of the program, and CHECKPOINT a path for a copy of the last checkpoint.
set -euo pipefail
cd "$(dirname "$0")/../.."

program=${PROGRAM:-.build/release/ddpm-mpi}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# Eight micro-batches; dropout, a learning rate that falls, two averages, of which one leaves its ramp, and so few steps
# of the process that its losses decide early which of them are drawn, so that every kind of state is compared. The
# configuration file is what all runs share.
cat >"$folder/config.yaml" <<'YAML'
preset: shapes
model:
  dropout: 0.1
  classes: 5
diffusion:
  steps: 6
  variance: learned-range
  loss: hybrid
  time_sampling: loss-aware
training:
  label_dropout: 0.2
  steps: 20
  batch: 16
  micro_batch: 2
  ema_decays: [0.5, 0.99]
  warmup_steps: 2
  schedule: inverse-sqrt
  checkpoint_every: 4
  keep_checkpoints: 10
  log_every: 1
  sample_every: 20
sampling:
  count: 5
  steps: 6
YAML

train() { # NAME RANKS THREADS [ARGUMENT]...
  local name=$1 ranks=$2 threads=$3
  shift 3
  THREADS=$threads scripts/mpirun.sh "$ranks" "$program" train --config "$folder/config.yaml" \
    --output "$folder/$name" --threads "$threads" "$@" >"$folder/$name.log" 2>&1 ||
    { cat "$folder/$name.log"; return 1; }
}

same() { # NAME: compares a run with the reference
  h5diff "$folder/reference/checkpoints/step-00000020.h5" "$folder/$1/checkpoints/step-00000020.h5" ||
    { echo "$1: tensors differ"; return 1; }
  cmp "$folder/reference/samples/step-00000020.png" "$folder/$1/samples/step-00000020.png"
  # Losses and gradient norms, without the timings.
  for run in reference "$1"; do
    sed -E 's/"(images_per_second|seconds)":[^,}]*,?//g' "$folder/$run/metrics.jsonl" >"$folder/$run.losses"
  done
  cmp "$folder/reference.losses" "$folder/$1.losses"
  echo "$1: the same bits"
}

train reference 1 1
for layout in 2x1 3x1 4x1 5x1 8x1 1x2 2x2; do
  train "$layout" "${layout%x*}" "${layout#*x}"
  same "$layout"
done

# The processes that a process has started, and those that these have. They have no group in common: Open MPI gives each
# rank one of its own.
descendants() { # PID
  local child
  for child in $(pgrep -P "$1"); do
    echo "$child"
    descendants "$child"
  done
}

# Killed in the middle, and resumed on other numbers of ranks.
train killed 2 1 --set training.steps=100000 --set training.sample_every=100000 >/dev/null 2>&1 &
job=$!
until [[ -e $folder/killed/checkpoints/step-00000008.h5 ]]; do
  kill -0 "$job" 2>/dev/null || { echo "the run to kill ended by itself"; exit 1; }
  sleep 0.05
done
mapfile -t processes < <(descendants "$job")
kill -KILL "$job" "${processes[@]}" 2>/dev/null || true
wait "$job" 2>/dev/null && { echo "a killed job reported success"; exit 1; }
# What came after step 8 is taken away, so that there is something left to do.
find "$folder/killed/checkpoints" -name 'step-*.h5' | sort | tail -n +3 | xargs -r rm
train killed 3 1 --resume
same killed

# Samples drawn from a checkpoint do not depend on the ranks or the batch.
sample() { # NAME RANKS THREADS BATCH
  THREADS=$3 scripts/mpirun.sh "$2" "$program" sample --checkpoint "$folder/reference" --count 7 --steps 5 --seed 3 \
    --batch "$4" --threads "$3" --output "$folder/$1.h5" >"$folder/$1.log" 2>&1 || { cat "$folder/$1.log"; return 1; }
}
sample samples 1 1 32
for layout in 2x1x3 5x1x1 1x2x4 8x1x2; do
  IFS=x read -r ranks threads batch <<<"$layout"
  sample "samples-$layout" "$ranks" "$threads" "$batch"
  h5diff "$folder/samples.h5" "$folder/samples-$layout.h5" /images
  echo "samples on $ranks ranks x $threads threads, batches of $batch: the same bits"
done
if [[ -n ${CHECKPOINT:-} ]]; then cp "$folder/reference/checkpoints/step-00000020.h5" "$CHECKPOINT"; fi
