#!/usr/bin/env bash
# Makes the pictures of docs/fields.md: makes turbulence and trains two models of it, if they are not there yet (about two
# hours on two cores), one that refines coarse fields and one without conditions, and draws with both.
#
#   FOLDER=docs/fields                 where the pictures go
#   MEMBERS=16  SAMPLING_STEPS=18
#
# scripts/shared/fields.sh has further settings: OUTPUT, STEPS, RANKS and others.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/shared/fields.sh

folder=${FOLDER:-docs/fields}
members=${MEMBERS:-16}
sampling_steps=${SAMPLING_STEPS:-18}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$folder"

make_turbulence
train_downscaling
train_turbulence unconditional

# Fields of runs 0, 1 and 2 at different times: of four fields of each run, every fifth.
run sample --checkpoint "$output/downscaling" --condition "$output/test.h5" --count 11 --members "$members" --steps "$sampling_steps" \
  --seed 1 --output "$work/ensemble.nc"
"$python" scripts/document/field-panels.py "$folder/downscaling.png" "$output/test.h5" "$work/ensemble.nc" \
  --given vorticity_coarse --cases 0 5 10
run sample --checkpoint "$output/downscaling" --condition "$output/test.h5" --count 1 --members 4 --steps "$sampling_steps" \
  --seed 1 --grid "$folder/sheet.png"
run sample --checkpoint "$output/unconditional" --count 4 --steps "$sampling_steps" --seed 1 --grid "$folder/unconditional.png"
