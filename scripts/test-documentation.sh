#!/usr/bin/env bash
# What the documentation says: every command and snippet of its pages is run, in this order and in one folder, with long
# runs and many images cut down (Tests/Documentation/brief.py); links, keys, presets and modules are compared with what
# there is. Blocks that are marked as `long`, `install`, `download`, `slurm` or `hosts` are left out. The page on
# diffusers is run by scripts/test-peers.sh, with the real library. Names of pages run these alone, after README.md:
#   scripts/test-documentation.sh docs/data.md
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install-dependencies.sh hdf5-tools python3-h5py python3-pil
source scripts/cases.sh

pages=("$@")
if ((${#pages[@]} == 0)); then
  pages=(docs/configuration.md docs/data.md docs/sampling.md docs/evaluation.md docs/watching.md docs/checkpoints.md
    docs/reproducibility.md docs/measuring.md docs/clusters.md docs/scaling.md)
fi

python=$(scripts/find-python.sh h5py PIL)
check "links, keys, presets, samplers and modules are as the pages say" "$python" Tests/Documentation/check_pages.py "$program"
check "the modules' reference has no warnings" env BUILD=no scripts/document.sh "$folder/reference"

# The reader's folder, and the commands as they are called here.
reader=$folder/reader
mkdir -p "$reader" "$folder/bin"
ln -s "$PWD/scripts" "$PWD/cluster" "$PWD/.build" "$reader"
cat >"$folder/bin/ddpm-mpi" <<SH
#!/usr/bin/env bash
exec $python "$PWD/Tests/Documentation/brief.py" "$program" "\$@"
SH
cat >"$folder/bin/mpirun" <<SH
#!/usr/bin/env bash
PATH=\${PATH/"$folder/bin:"/}
if [[ \$3 == ddpm-mpi ]]; then exec "$mpirun" "\$2" "$folder/bin/ddpm-mpi" "\${@:4}"; fi
exec mpirun "\$@"
SH
chmod +x "$folder/bin/"*
(cd "$reader" && "$python" "$OLDPWD/Tests/Documentation/make_photographs.py")

for page in README.md "${pages[@]}"; do
  check "every block of $page runs" env -C "$reader" PATH="$folder/bin:$PATH" \
    "$python" "$PWD/Tests/Documentation/run_document.py" "$PWD/$page"
  tail -n 1 "$folder/check"
done
finish
