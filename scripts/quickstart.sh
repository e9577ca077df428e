#!/usr/bin/env bash
# Installs, builds and trains on all cores of this machine. Arguments go to `ddpm-mpi train`:
#   scripts/quickstart.sh --set training.steps=500
# Started again, it continues where it stopped. RANKS and THREADS override how the cores are used; BUILD=no trains with
# the program that was built before. DEPENDENCIES=no installs nothing (scripts/install-dependencies.sh).
set -euo pipefail
cd "$(dirname "$0")/.."

# The folder that `ddpm-mpi train` will use for these arguments.
output=""
run=quickstart
resume=(--resume)
previous=""
for argument in "$@"; do
  case $previous in
    --output) output=$argument ;;
    --preset) run=$argument ;;
    --config) run=$(basename "${argument%.*}") ;;
  esac
  case $argument in
    --output=*) output=${argument#*=} ;;
    --preset=*) run=${argument#*=} ;;
    --config=*) run=$(basename "${argument%.*}") ;;
    --resume) resume=() ;;
  esac
  previous=$argument
done
output=${output:-runs/$run}
if [[ -e $output/config.yaml ]]; then
  echo "$output already holds a run; resuming it."
else
  resume=()
fi

if [[ ${BUILD:-yes} != no ]]; then
  scripts/install-dependencies.sh
  # Only Debian and Ubuntu have a package of these images. Say so before the minutes that the build takes.
  images=/usr/share/datasets/fashion-mnist
  if [[ $run == quickstart && ! -e $output/config.yaml && " $*" != *data.* && ! -d $images ]]; then
    echo "There is no Fashion-MNIST in $images. Please give the folder of its files," >&2
    echo "or train on drawn shapes, which need no files:" >&2
    echo "  scripts/quickstart.sh --set data.path=FOLDER" >&2
    echo "  scripts/quickstart.sh --set data.name=shapes" >&2
    exit 1
  fi
  scripts/build.sh
fi

# One rank per core. The quickstart's batch is 8 micro-batches, which at most 8 ranks can share: with more cores, each
# rank takes several.
cores=$(scripts/shared/count-cores.sh)
if [[ -z ${RANKS:-} ]]; then
  RANKS=1
  while ((RANKS * 2 <= cores && RANKS < 8)); do RANKS=$((RANKS * 2)); done
fi
threads=${THREADS:-$((cores / RANKS > 0 ? cores / RANKS : 1))}

echo
echo "Training on $RANKS ranks (threads each: $threads). Ctrl-C stops it; the same command resumes it."
THREADS=$threads scripts/mpirun.sh "$RANKS" .build/release/ddpm-mpi train --threads "$threads" "${resume[@]}" "$@"

# The names carry the step in eight digits, so the last one is the newest.
grids=("$output"/samples/step-*.png)
echo
if [[ -e ${grids[-1]} ]]; then echo "What it draws now:  ${grids[-1]}"; fi
echo "Checkpoints:        $output/checkpoints"
echo "Losses:             $output/metrics.jsonl"
