#!/usr/bin/env bash
# Trains a small network for 300 steps with Winograd's convolutions and with direct ones, from two seeds, and compares
# the mean losses of the last 50 steps. Fails if the methods differ by more than the seeds do. Takes some minutes.
#
#   STEPS=300   optimiser steps of each run
set -euo pipefail
cd "$(dirname "$0")/../.."

program=.build/release/ddpm-mpi
[[ -x $program ]] || { echo "There is no $program; build it with scripts/build.sh." >&2; exit 1; }
steps=${STEPS:-300}
[[ $steps =~ ^[1-9][0-9]*$ ]] || { echo "STEPS is '$steps'; it must be a whole number." >&2; exit 2; }
cores=$(scripts/shared/count-cores.sh)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

for seed in 1 2; do
  for method in winograd direct; do
    scripts/mpirun.sh "$((cores < 8 ? cores : 8))" "$program" train --convolution "$method" \
      --output "$folder/$method-$seed" --set seed="$seed" --set training.steps="$steps" --set training.log_every=1 \
      --set training.sample_every="$steps" --set training.checkpoint_every="$steps" --set sampling.steps=1 \
      >"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }
  done
done

python3 - "$folder" "$steps" <<'PYTHON'
import json, pathlib, sys

folder, steps = pathlib.Path(sys.argv[1]), int(sys.argv[2])


def final_loss(method, seed):
    lines = (folder / f"{method}-{seed}" / "metrics.jsonl").read_text().splitlines()
    losses = [json.loads(line)["loss"] for line in lines][-50:]
    return sum(losses) / len(losses)


loss = {(method, seed): final_loss(method, seed) for method in ("winograd", "direct") for seed in (1, 2)}
for seed in (1, 2):
    print(f"seed {seed}: winograd {loss['winograd', seed]:.6f}, direct {loss['direct', seed]:.6f}")
between_methods = max(abs(loss["winograd", seed] - loss["direct", seed]) for seed in (1, 2))
between_seeds = min(abs(loss[method, 1] - loss[method, 2]) for method in ("winograd", "direct"))
print(f"largest difference between methods {between_methods:.2e}, least between seeds {between_seeds:.2e}")
if between_methods > between_seeds:
    sys.exit("The methods differ by more than the seeds do.")
PYTHON
