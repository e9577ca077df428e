#!/usr/bin/env bash
# Makes the pictures of docs/fields.md: makes turbulence and trains two models of it, if they are not there yet, one
# that refines coarse fields and one without conditions, and draws with both.
#
#   FOLDER=docs/fields                 where the pictures go
#   MEMBERS=16                         of an ensemble
#
# scripts/shared/fields.sh has further settings: OUTPUT, STEPS, RANKS and others.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/shared/fields.sh

folder=${FOLDER:-docs/fields}
members=${MEMBERS:-16}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$folder"

make_turbulence
train_turbulence downscaling "${given_coarse[@]}"
train_turbulence unconditional "${unconditional[@]}"

refine=(sample --checkpoint "$output/downscaling" --condition "$output/test.h5" --seed 1)
run "${refine[@]}" --count 3 --members "$members" --output "$work/ensemble.nc"
# The first test fields are of one flow, two units of time apart.
"$python" scripts/document/field-panels.py "$folder/downscaling.png" "$output/test.h5" "$work/ensemble.nc" \
  --given vorticity_coarse --cases 0 1 2
run "${refine[@]}" --count 1 --members 4 --grid "$folder/sheet.png"
run sample --checkpoint "$output/unconditional" --count 4 --seed 1 --grid "$folder/unconditional.png"
ls -l "$folder"
