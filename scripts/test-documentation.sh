#!/usr/bin/env bash
# What the documentation says: every command and snippet of its pages is run, in this order and in one folder, with long
# runs and many images cut down (Tests/Documentation/brief.py); links, keys, presets and modules are compared with what
# there is. Blocks that are marked as `long`, `install`, `download`, `slurm` or `hosts` are left out. The page on
# diffusers is run by scripts/test-peers.sh, with the real library. Names of pages run these alone, after README.md:
#   scripts/test-documentation.sh docs/data.md
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/cases.sh

pages=("$@")
if ((${#pages[@]} == 0)); then
  pages=(docs/configuration.md docs/data.md docs/sampling.md docs/evaluation.md docs/watching.md docs/checkpoints.md
    docs/reproducibility.md docs/measuring.md docs/clusters.md docs/scaling.md)
fi

check "links, keys, presets, samplers and modules are as the pages say" python3 Tests/Documentation/check_pages.py "$program"

# The reader's folder, and the commands as they are called here.
reader=$folder/reader
mkdir -p "$reader" "$folder/bin"
ln -s "$PWD/scripts" "$PWD/cluster" "$PWD/.build" "$reader"
cat >"$folder/bin/ddpm-mpi" <<SH
#!/usr/bin/env bash
exec python3 "$PWD/Tests/Documentation/brief.py" "$program" "\$@"
SH
cat >"$folder/bin/mpirun" <<SH
#!/usr/bin/env bash
[[ \$1 == -n ]] && PATH=\${PATH/"$folder/bin:"/} exec "$mpirun" "\$2" "$folder/bin/\$3" "\${@:4}"
SH
chmod +x "$folder/bin/"*
(cd "$reader" && python3 "$OLDPWD/Tests/Documentation/make_photographs.py")

for page in README.md "${pages[@]}"; do
  check "every block of $page runs" env -C "$reader" PATH="$folder/bin:$PATH" \
    python3 "$PWD/Tests/Documentation/run_document.py" "$PWD/$page"
  tail -n 1 "$folder/check"
done
finish
