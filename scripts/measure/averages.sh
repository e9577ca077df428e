#!/usr/bin/env bash
# What the ramp of the moving averages is worth (training.ema_rampup): the Fréchet distance of images drawn by the weights
# and by their average, with several ramps and without one, as training goes on; and beside them what PyTorch reaches with
# the same network, data, batch and optimiser in the same time. Prints tables in Markdown. It takes hours on two
# cores, which should have nothing else to do; what is done is kept, and the script continues where it stopped.
#
#   OUTPUT=runs/averages           where runs and figures are kept
#   PRESET=quickstart              its averages have the first of training.ema_decays
#   SETTINGS="training.ema_decays=[0.999]"   what is set besides; the usual decay of larger networks
#   MINUTES="1 2 4 8"              of training; or STEPS="100 200": steps in their place, on both sides
#   RAMPUPS="0.05 0.1"             what is tried besides none
#   SEED=1  RANKS=2                PyTorch has as many threads
#   IMAGES=2000                    drawn for each figure; SAMPLING_STEPS=50
#   REFERENCE_IMAGES=60000         training images to compare with
#   PYTHON=/path/to/python         one that has torch and diffusers; without it our side alone is measured
set -euo pipefail
cd "$(dirname "$0")/../.."
exec python3 scripts/measure/averages.py
