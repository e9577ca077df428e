#!/usr/bin/env bash
# What the documentation says: every command and snippet of its pages is run, in this order and in one folder, with long
# runs and many images cut down (Tests/Documentation/brief.py); links, keys and presets are compared with what
# there is. Blocks that are marked as `long`, `install`, `download`, `slurm` or `hosts` are left out. The page on
# diffusers is run by scripts/test/peers.sh, with the real library. Names of pages run these alone, after README.md:
#   scripts/test/documentation.sh docs/data.md
set -euo pipefail
cd "$(dirname "$0")/../.."
scripts/install-dependencies.sh hdf5-tools python3-h5py python3-pil
source scripts/shared/cases.sh

pages=("$@")
if ((${#pages[@]} == 0)); then
  pages=(docs/configuration.md docs/data.md docs/fields.md docs/sampling.md docs/restoring.md docs/evaluation.md
    docs/watching.md docs/checkpoints.md docs/reproducibility.md docs/measuring.md docs/clusters.md docs/scaling.md)
fi

python=$(scripts/shared/find-python.sh h5py PIL)
check "links, keys, presets, samplers and packages are as the pages say" "$python" Tests/Documentation/check_pages.py "$program"
check "the modules' reference has no warnings" env BUILD=no scripts/document/reference.sh "$folder/reference"

# The reader's folder, and the commands as they are called here.
reader=$folder/reader
mkdir "$reader" "$folder/bin"
ln -s "$PWD/scripts" "$PWD/cluster" "$PWD/.build" "$reader"
brief_program "$folder/bin/ddpm-mpi" "$python"
stand_in_for_mpirun "$folder/bin"
(cd "$reader" && "$python" "$OLDPWD/Tests/Documentation/make_photographs.py")
# A few of the fields that the reader makes.
turbulence=("$python" scripts/data/turbulence.py)
"${turbulence[@]}" --output "$reader/turbulence.nc" --count 16 --runs 8 >/dev/null
"${turbulence[@]}" --output "$reader/turbulence-test.nc" --count 16 --runs 16 --seed 1 >/dev/null

for page in README.md "${pages[@]}"; do
  check "every block of $page runs" env -C "$reader" PATH="$folder/bin:$PATH" \
    "$python" "$PWD/Tests/Documentation/run_document.py" "$PWD/$page"
  # The blocks that took long, and how many there were.
  sed -n '/: [0-9]* s$/p; $p' "$folder/check"
done
finish
