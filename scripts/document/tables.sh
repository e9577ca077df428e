#!/usr/bin/env bash
# The tables of two papers in miniature, on Fashion-MNIST with a small network and equal budgets: what is predicted and
# what is the loss (DDPM's table 2), likelihood and quality of three processes (score SDEs' table 2), and samplers against
# evaluations of the network. Prints them as Markdown, with the deviation over seeds. It takes hours; what is done is kept
# in the output folder, and the script continues where it stopped.
#
#   OUTPUT=runs/tables             where runs and figures are kept
#   TABLES="objectives processes samplers"
#   SEEDS="1 2 3"  RANKS=2
#   STEPS=3000                     training steps of every run, of 32 images each
#   IMAGES=2000                    drawn for each figure; SAMPLING_STEPS=100
#   LIKELIHOOD_IMAGES=256          test images
#   REFERENCE_IMAGES=60000         training images to compare with
#   EVALUATIONS="10 20 50 100"     of the network, in the table of samplers
set -euo pipefail
cd "$(dirname "$0")/../.."
exec python3 scripts/document/tables.py
