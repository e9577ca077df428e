#!/usr/bin/env bash
# Times this program and PyTorch on the same network, batch and cores, in turn, and prints a table with the ratios.
# Takes about ten minutes on two cores. Run it on a machine that does nothing else.
#
#   PYTHON=/path/to/python   a Python that has torch and diffusers; by default one is set up in .build/pytorch
#   ROUNDS=3                 how often each side is run; the medians of the rounds count
set -euo pipefail
cd "$(dirname "$0")/.."

program=.build/release/ddpm-mpi
[[ -x $program ]] || { echo "There is no $program; build it with scripts/build.sh." >&2; exit 1; }
if [[ -z ${PYTHON:-} ]]; then
  PYTHON=.build/pytorch/bin/python
  if [[ ! -x $PYTHON ]]; then
    python3 -m venv .build/pytorch
    .build/pytorch/bin/pip install --quiet torch diffusers transformers
  fi
fi
cores=$(scripts/count-cores.sh)
rounds=${ROUNDS:-3}
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

ours() { # NAME RANKS THREADS [ARGUMENT]...
  local name=$1 ranks=$2 threads=$3
  shift 3
  THREADS=$threads scripts/mpirun.sh "$ranks" "$program" benchmark --json --threads "$threads" --steps 5 "$@" \
    >>"$results/$name.ours"
}

theirs() { # NAME [ARGUMENT]...
  local name=$1
  shift
  "$PYTHON" scripts/pytorch_peer.py "$@" --threads "$cores" --steps 5 2>/dev/null >>"$results/$name.$variant"
}

job() { # NAME JOB PRESET BATCH
  for ((round = 0; round < rounds; round++)); do
    ours "$1" "$cores" 1 --job "$2" --preset "$3" --batch "$4"
    variant=plain theirs "$1" "$2" --preset "$3" --batch "$4"
    variant=channels-last theirs "$1" "$2" --preset "$3" --batch "$4" --channels-last
  done
}

job "cifar10 training" train cifar10 32
job "cifar10 sampling" sample cifar10 32
job "fashion-mnist training" train fashion-mnist 64

echo
echo "$cores cores, $("$program" doctor | sed -n 's/^processor *//p'); medians of $rounds rounds in turn"
python3 - "$results" <<'PYTHON'
import json, pathlib, statistics, sys

folder = pathlib.Path(sys.argv[1])


def median(path, key):
    return statistics.median(json.loads(line)[key] for line in path.read_text().splitlines())


print("| job | batch | ddpm-mpi images/s | PyTorch images/s | ratio | memory, GiB | PyTorch's, GiB |")
print("|---|---|---|---|---|---|---|")
for path in sorted(folder.glob("*.ours")):
    peers = [path.with_suffix(f".{name}") for name in ("plain", "channels-last")]
    peer = max(peers, key=lambda file: median(file, "images_per_second_median"))
    mine, other = (median(file, "images_per_second_median") for file in (path, peer))
    memory, others_memory = (median(file, "peak_resident_gb") for file in (path, peer))
    batch = json.loads(path.read_text().splitlines()[0])["batch"]
    print(f"| {path.stem} | {batch} | {mine:.1f} | {other:.1f} | {mine / other:.2f} | {memory:.2f} | {others_memory:.2f} |")
PYTHON
