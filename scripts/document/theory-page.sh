#!/usr/bin/env bash
# Makes the pictures of docs/theory.md, and prints the table of network evaluations that stands beside them: trains a
# model of Fashion-MNIST that knows its classes, and a classifier to guide it, if they are not there yet (ten minutes on
# two cores), and draws with both (ten more). MODEL and CLASSIFIER name other runs, FOLDER another place for the pictures,
# PROGRAM another program, SAMPLERS some samplers instead of all.
set -euo pipefail
cd "$(dirname "$0")/../.."

program=${PROGRAM:-$PWD/.build/release/ddpm-mpi}
cores=$(scripts/shared/count-cores.sh)
ranks=${RANKS:-$((cores < 8 ? cores : 8))}
model=${MODEL:-runs/theory}
classifier=${CLASSIFIER:-runs/theory-classifier}
folder=${FOLDER:-docs/theory}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$folder"

run() { scripts/mpirun.sh "$ranks" "$program" "$@"; }

common=(--set training.ema_decays=[0.999] --set training.checkpoint_every=1000 --set training.sample_every=5000)
[[ -e $model/config.yaml ]] || run train --output "$model" "${common[@]}" --set training.steps=5000 \
  --set diffusion.prediction=velocity --set model.classes=10 --set training.label_dropout=0.1
[[ -e $classifier/config.yaml ]] || run train-classifier --output "$classifier" "${common[@]}" --set training.steps=3000

# draw NAME ARGUMENT...: ten images, one of each class; prints how often the network looked at one of them.
draw() {
  local name=$1
  shift
  run sample --checkpoint "$model" --count 10 --seed 1 --output "$work/$name.h5" "$@" |
    grep -oE '[0-9]+ evaluations?' | grep -oE '[0-9]+'
}

sheet() { # NAME FILE...
  local name=$1
  shift
  python3 scripts/document/compose-sheet.py "$folder/$name.png" "${@/#/$work/}"
}

echo "| sampler | evaluations per row |"
echo "|---|---|"
for sampler in ${SAMPLERS:-$("$program" samplers | awk '/^[a-z]/ { print $1 }')}; do
  counts=()
  files=()
  # Steps of about 10, 20, 50 and 1000 evaluations, one of which the equations need at the end; for ode-rk45 errors from
  # the largest that makes sense.
  case $sampler in
    euler-maruyama | langevin | ode-euler) choices=(9 19 49 999) ;;
    predictor-corrector | ode-heun | edm) choices=(5 10 25 500) ;;
    ode-rk4) choices=(2 5 12 250) ;;
    ode-rk45) choices=(1 1e-2 1e-4 1e-6) ;;
    # It goes from its first step to the image itself, so one step of the process is left over.
    dpm-solver++) choices=(10 20 50 999) ;;
    *) choices=(10 20 50 1000) ;;
  esac
  option=--steps
  [[ $sampler == ode-rk45 ]] && option=--tolerance
  for choice in "${choices[@]}"; do
    counts+=("$(draw "$sampler-$choice" --sampler "$sampler" "$option" "$choice")")
    files+=("$sampler-$choice.h5")
  done
  sheet "$sampler" "${files[@]}"
  echo "| \`$sampler\` | $(IFS=,; echo "${counts[*]}" | sed 's/,/, /g') |"
done

files=()
for guidance in 0 0.5 1 2 4 8; do
  draw "free-$guidance" --sampler dpm-solver++ --steps 25 --guidance "$guidance" >/dev/null
  files+=("free-$guidance.h5")
done
sheet classifier-free-guidance "${files[@]}"
files=()
for guidance in 0 0.5 1 2 4 8; do
  draw "led-$guidance" --sampler dpm-solver++ --steps 25 --guidance "$guidance" --classifier "$classifier" >/dev/null
  files+=("led-$guidance.h5")
done
sheet classifier-guidance "${files[@]}"

run interpolate --checkpoint "$model" --rows 10 --columns 10 --grid "$folder/interpolation.png" >/dev/null
run encode --checkpoint "$model" --count 10 --output "$work/latents.h5" >/dev/null
run decode --checkpoint "$model" --latents "$work/latents.h5" --output "$work/again.h5" >/dev/null
sheet reconstruction latents.h5 again.h5
echo
for method in bound ode; do
  run likelihood --checkpoint "$model" --method "$method" --count "${COUNT:-64}"
done
