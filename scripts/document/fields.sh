#!/usr/bin/env bash
# Makes the pictures of docs/fields.md, and those of turbulence in docs/restoring.md: makes turbulence and trains three
# models of it, if they are not there yet, one that refines coarse fields, the same as a regression, and one without
# conditions, and draws with all of them.
#
#   FOLDER=docs/fields                 where the pictures go
#   RESTORED=docs/restoring            where those of restored fields go
#   MEMBERS=16                         of an ensemble
#   RESTORING_STEPS=64                 of the sampler, for restored fields
#   CASES=16                           conditions whose spectra are compared
#
# scripts/shared/fields.sh has further settings: OUTPUT, STEPS, RANKS and others.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/shared/fields.sh

folder=${FOLDER:-docs/fields}
restored=${RESTORED:-docs/restoring}
members=${MEMBERS:-16}
cases=${CASES:-16}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$folder" "$restored"

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
run sample --checkpoint "$output/unconditional" --count 4 --seed 1 --grid "$folder/unconditional.png"

# From 5% of the points, and from the means of 4x4 points, with the model without conditions.
"$python" - "$output/test.h5" "$work" <<'PYTHON'
import sys

import h5py
import numpy as np

test, work = sys.argv[1:]
with h5py.File(test) as file:
    fields = file["fields"][:3, :, :, :1]
    units = file["fields"].attrs["units"][0]
known = np.random.default_rng(1).random((64, 64, 1)) < 0.05
print(f"{known.sum()} of {known.size} points are known")
coarse = fields.reshape(3, 16, 4, 16, 4).mean((2, 4))
for name, measured, shown in [
    ("points", np.where(known, fields, np.nan)[..., 0], np.where(known, fields, 0)),
    ("coarse", coarse, coarse.repeat(4, 1).repeat(4, 2)[..., None]),
]:
    with h5py.File(f"{work}/{name}.h5", "w") as file:
        file["vorticity"] = measured
        file["vorticity"].attrs["units"] = units
    # What field-panels.py shows beside the draws.
    with h5py.File(f"{work}/{name}-truth.h5", "w") as file:
        file["fields"] = np.concatenate([fields, shown], 3)
        file["fields"].attrs["names"] = ["vorticity", "measured"]
PYTHON
for pair in points:mask coarse:coarse=4; do
  name=${pair%%:*}
  run restore --checkpoint "$output/unconditional" --measured "$work/$name.h5" --operator "${pair#*:}" \
    --members "$members" --steps "${RESTORING_STEPS:-64}" --seed 1 --output "$work/$name.nc"
  "$python" scripts/document/field-panels.py "$restored/$name.png" "$work/$name-truth.h5" "$work/$name.nc" \
    --given measured --cases 0 1 2
done
ls -l "$folder" "$restored"
