#!/usr/bin/env bash
# Measures this program and PyTorch on the same networks, batches and cores, in turn, and prints a table in Markdown:
#   scripts/measure/against-pytorch.sh [ROW]...
# Rows, by default all: train-cifar10 sample-cifar10 train-fashion-mnist ranks memory start reduction. All of them take
# hours on two cores, the most of it PyTorch. Run it on a machine that does nothing else.
#
#   ROUNDS=3                 how often each side is run; the medians of the rounds count
#   STEPS=5                  steps per run, after one to warm up, or three in PyTorch, which needs longer
#   COMPILE=0                leave out torch.compile, which needs g++ and minutes for each job
#   LAYOUTS="2x1 1x2"        ranks x threads to try on our side; by default all cores as ranks, and as threads of one
#   PYTHON=/path/to/python   a Python that has torch and diffusers; by default one is set up in .build/pytorch
#   PROGRAM=/path/to/ddpm-mpi
#
# Each run leaves a line of JSON in .build/benchmarks/<time>/results.jsonl.
set -euo pipefail
cd "$(dirname "$0")/../.."
exec python3 scripts/measure/against-pytorch.py "$@"
