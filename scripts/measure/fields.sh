#!/usr/bin/env bash
# How good models of fields are, and how fast their training is, in tables in Markdown:
#   scripts/measure/fields.sh [downscaling|gaussian|speed]...
# downscaling: the CRPS of ensembles of fine fields of turbulence that are drawn from coarse ones, of interpolations of
# the coarse fields, and of a single forecast by the same network, trained by regression. gaussian: the spectrum of the
# preset `fields`, against the exact one. What is there already, data and models, is kept (scripts/shared/fields.sh).
# Both, which run if nothing is named, take hours on two cores. speed: the training of fields against that of images of
# the same size, and periodic borders against zeros; minutes on an idle machine.
#
#   CASES=64  MEMBERS=16               test fields, and fields drawn for each
#   GAUSSIAN_STEPS=10000               training steps
#   GAUSSIAN_COUNT=4096                fields drawn
#   GAUSSIAN_SAMPLING=64               steps of the sampler
#   SPEED_SIZE=128                     height and width of fields and images
#   SPEED_ROUNDS=3  SPEED_STEPS=5      how often each is timed in turn, and for how many steps
#
# scripts/shared/fields.sh has further settings: OUTPUT, STEPS, RANKS and others.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/shared/fields.sh

cases=${CASES:-64}
members=${MEMBERS:-16}

downscaling() {
  make_turbulence
  train_turbulence downscaling "${given_coarse[@]}"
  train_turbulence regression "${given_coarse[@]}" "${regression[@]}"
  local given=(--condition "$output/test.h5" --count "$cases" --seed 1)
  run sample --checkpoint "$output/downscaling" "${given[@]}" --members "$members" --output "$output/ensemble.nc"
  run sample --checkpoint "$output/regression" "${given[@]}" --members 1 --steps 1 --output "$output/regression.nc"
  "$python" scripts/measure/downscaling.py "$output/test.h5" "regression by the same network=$output/regression.nc" \
    "ensemble of the diffusion model=$output/ensemble.nc"
  echo
  echo "The ensemble, as evaluate measures it:"
  run evaluate --checkpoint "$output/downscaling" --split test --count "$cases" --members "$members" --seed 1
}

gaussian() {
  train_model gaussian --set training.steps="${GAUSSIAN_STEPS:-10000}"
  local drawing=(--split test --count "${GAUSSIAN_COUNT:-4096}" --steps "${GAUSSIAN_SAMPLING:-64}" --seed 1)
  run evaluate --checkpoint "$output/gaussian" --measures spectrum "${drawing[@]}" --json >"$output/gaussian.json"
  "$python" scripts/measure/gaussian-spectrum.py "$output/gaussian.json" "${GAUSSIAN_SAMPLING:-64}"
}

speed() { "$python" scripts/measure/field-speed.py "$program" "$ranks"; }

mkdir -p "$output"
(($# > 0)) || set -- downscaling gaussian
for part in "$@"; do
  case $part in
    downscaling | gaussian | speed) "$part" ;;
    *)
      echo "There is nothing called $part to measure; there are downscaling, gaussian and speed." >&2
      exit 2
      ;;
  esac
done
