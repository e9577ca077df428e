#!/usr/bin/env bash
# Makes pictures for docs/restoring.md: garments completed from their upper half, by each method, and shapes coloured from
# grey. A model of Fashion-MNIST and one of shapes are trained if they are not there yet (ten minutes each on two cores).
# MODEL and COLOURS name other runs, FOLDER another place for the pictures, PROGRAM another program, METHODS some methods
# instead of all, IMAGES how many are restored. Needs Python with h5py, numpy and Pillow.
set -euo pipefail
cd "$(dirname "$0")/../.."

program=${PROGRAM:-$PWD/.build/release/ddpm-mpi}
cores=$(scripts/shared/count-cores.sh)
ranks=${RANKS:-$((cores < 8 ? cores : 8))}
model=${MODEL:-runs/quickstart}
colours=${COLOURS:-runs/restoring-shapes}
folder=${FOLDER:-docs/restoring}
python=$(scripts/shared/find-python.sh h5py numpy PIL)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$folder"

run() { scripts/mpirun.sh "$ranks" "$program" "$@"; }

[[ -e $model/config.yaml ]] || run train --output "$model"
[[ -e $colours/config.yaml ]] || run train --preset shapes --output "$colours" --set training.steps=5000 \
  --set training.ema_decays=[0.999] --set training.checkpoint_every=1000 --set training.sample_every=5000

"$program" pack fashion-mnist --output "$work/garments.h5" >"$work/log"
"$program" pack shapes --output "$work/shapes.h5" >>"$work/log"

# Test images, and what is known of them, as it is shown.
"$python" - "$work" "${IMAGES:-10}" <<'PYTHON'
import sys
import h5py
import numpy as np
from PIL import Image

work, count = sys.argv[1], int(sys.argv[2])


def test_images(name):
    with h5py.File(f"{work}/{name}.h5") as file:
        return file["test/images"][:count]


def write(name, images):
    with h5py.File(f"{work}/{name}.h5", "w") as file:
        file["images"] = images


garments = test_images("garments")
known = np.zeros((32, 32), np.uint8)
known[:16] = 255
Image.fromarray(known).save(f"{work}/upper.png")
write("whole-garments", garments)
write("upper-garments", np.where(known[:, :, None] == 255, garments, 0))
shapes = test_images("shapes")
write("whole-shapes", shapes)
write("grey-shapes", np.repeat(shapes.mean(axis=3, keepdims=True).round().astype(np.uint8), 3, axis=3))
PYTHON

# restore NAME ARGUMENT...: three draws of each image, a file for each.
restore() {
  local name=$1 seed
  shift
  for seed in 1 2 3; do
    run restore --seed "$seed" --output "$work/$name-$seed.h5" "$@" | grep -oE '[0-9]+ evaluations?.*' >"$work/evaluations"
  done
  echo "| \`$name\` | $(cat "$work/evaluations") |"
}

# sheet NAME KNOWN WHOLE: what is known, the draws, and the truth, a row each.
sheet() {
  "$python" scripts/document/compose-sheet.py "$folder/$1.png" "$work/$2.h5" "$work/$1"-{1,2,3}.h5 "$work/$3.h5"
}

for method in ${METHODS:-imputation repaint dps pigdm}; do
  restore "$method" --checkpoint "$model" --measured "$work/whole-garments.h5" --operator mask --mask "$work/upper.png" \
    --method "$method"
  sheet "$method" upper-garments whole-garments
done
restore colours --checkpoint "$colours" --measured "$work/whole-shapes.h5" --simulate --operator grey
sheet colours grey-shapes whole-shapes
