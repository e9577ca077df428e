#!/usr/bin/env bash
# Makes the pictures of docs/fields.md: makes turbulence and trains three models of it, if they are not there yet, one
# that refines coarse fields, the same as a regression, and one without conditions, and draws with all of them.
#
#   FOLDER=docs/fields                 where the pictures go
#   MEMBERS=16                         of an ensemble
#   CASES=16                           conditions whose spectra are compared
#
# scripts/shared/fields.sh has further settings: OUTPUT, STEPS, RANKS and others.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/shared/fields.sh

folder=${FOLDER:-docs/fields}
members=${MEMBERS:-16}
cases=${CASES:-16}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$folder"

make_turbulence
train_turbulence downscaling "${given_coarse[@]}"
train_turbulence regression "${given_coarse[@]}" "${regression[@]}"
train_turbulence unconditional "${unconditional[@]}"

given=(--condition "$output/test.h5" --seed 1)
run sample --checkpoint "$output/downscaling" "${given[@]}" --count "$cases" --members "$members" \
  --output "$work/ensemble.nc"
run sample --checkpoint "$output/regression" "${given[@]}" --count "$cases" --steps 1 --output "$work/regression.nc"
# The first test fields are of one flow, two units of time apart.
"$python" scripts/document/field-panels.py "$folder/downscaling.png" "$output/test.h5" "$work/ensemble.nc" \
  --given vorticity_coarse --cases 0 1 2
"$python" scripts/document/plot-spectra.py "$folder/spectra.svg" "$output/test.h5" \
  "members of the ensemble=$work/ensemble.nc" "regression by the same network=$work/regression.nc"
run sample --checkpoint "$output/downscaling" "${given[@]}" --count 1 --members 4 --grid "$folder/sheet.png"
run sample --checkpoint "$output/unconditional" --count 4 --seed 1 --grid "$folder/unconditional.png"
ls -l "$folder"
