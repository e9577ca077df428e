#!/usr/bin/env bash
# How good the images of this program and of PyTorch are after how much training: both train the same network on
# Fashion-MNIST, with the same batch, learning rate and averaging, on the same cores, in turn. After some minutes of
# training, images are drawn from each model by DDIM, and `ddpm-mpi fid` computes their Fréchet distance to the training
# images. Prints a table in Markdown and leaves a plot:
#   scripts/measure/quality.sh [MINUTES]...         after how many minutes; by default 1 2 4 8 16
# Only training counts: not starting, saving, drawing or measuring. It takes hours on two cores, which should have
# nothing else to do. What is done is kept, and the script continues where it stopped; another build of the program,
# or other settings, need another OUTPUT.
#
#   OUTPUT=runs/quality            where runs, images and figures are kept, with table.md and quality.svg
#   PYTHON=/path/to/python         one that has torch and diffusers; without it our side alone is measured
#   PRESET=quickstart              or another one for Fashion-MNIST
#   SETTINGS="training.learning_rate=0.002"   what is set besides, on both sides
#   SEEDS="1 2"
#   COUNT=5000                     images drawn for each figure; SAMPLING_STEPS=50
#   REFERENCE_IMAGES=60000         training images to compare with
#   RANKS=2  THREADS=1             by default as many ranks as cores, if there are micro-batches for them
#   PEER_LAYOUTS="1x2 2x1"         processes x threads to try in PyTorch, each with two memory formats; by default all
#                                  cores as threads and as processes. The fastest is kept
#   PROGRAM=/path/to/ddpm-mpi
set -euo pipefail
cd "$(dirname "$0")/../.."
exec python3 scripts/measure/quality.py "$@"
