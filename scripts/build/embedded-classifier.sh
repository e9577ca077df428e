#!/usr/bin/env bash
# Trains the classifier whose features the program measures with by default, and writes its weights where the build
# finds them. It takes some minutes. The bits of the result are the same on any number of ranks and threads, but not on
# processors with other vectors; the weights in the repository were made with 512-bit vectors.
#
#   RANKS=2      ranks to train with
#   PROGRAM=.build/release/ddpm-mpi
#   OUTPUT=Sources/CFashionMNISTClassifier/weights/fashion-mnist-classifier.safetensors
set -euo pipefail
cd "$(dirname "$0")/../.."

program=${PROGRAM:-.build/release/ddpm-mpi}
name=fashion-mnist-classifier
output=${OUTPUT:-Sources/CFashionMNISTClassifier/weights/$name.safetensors}
run=$(mktemp -d)
trap 'rm -rf "$run"' EXIT

# Images with next to no noise: ten steps of it, so small that the last has a tenth of a grey level's deviation.
scripts/mpirun.sh "${RANKS:-2}" "$program" train-classifier --output "$run/run" \
  --set data.name=fashion-mnist --set data.flip=true \
  --set model.channels=16 --set 'model.multipliers=[1, 2, 4]' --set model.blocks=1 --set 'model.attention_resolutions=[]' \
  --set model.groups=8 --set model.dropout=0.2 \
  --set diffusion.steps=10 --set diffusion.beta_first=1e-8 --set diffusion.beta_last=1e-8 --set sampling.steps=10 \
  --set training.steps=2000 --set training.batch=128 --set training.micro_batch=16 \
  --set training.learning_rate=1e-3 --set training.warmup_steps=200 --set 'training.ema_decays=[0.999]' \
  --set training.checkpoint_every=1000 --set training.sample_every=500
"$program" export --format features --checkpoint "$run/run" --name "$name" --force \
  "$output"
echo "Build the program again to put them into it: scripts/build.sh"
