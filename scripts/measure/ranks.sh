#!/usr/bin/env bash
# Measures on one machine what more ranks do not make faster, or even make slower: the launch of a job, its start, a
# step, a save, a load and a sheet of samples, in seconds. The work is the same for all numbers of ranks; ranks beyond
# the cores share them. Prints a table in Markdown. Run it on a machine that does nothing else.
#
#   RANKS="2 8 32 64 128"      numbers of ranks, in ascending order
#   BATCH=128                  images per step and per sheet; by default as many as the most ranks, which is the minimum
#   PRESET=shapes              whose data and network are used
#   SETTINGS="model.multipliers=[1,2,2] model.attention_resolutions=[8]"
#                              keys of model that are set; by default the network has the quickstart's 1.1 M parameters
#   ROUNDS=3                   how often each number of ranks is measured; the medians of the rounds count
#   STEPS=3                    steps, saves and sheets of a round, whose medians count
#   SAMPLING_STEPS=2           for a sheet
#   FOLDER=.build/benchmarks   where runs are written for a while; saves and loads depend on its disk
#   PROGRAM=/path/to/ddpm-mpi
#
# Each round leaves a line of JSON in .build/benchmarks/<time>/results.jsonl.
set -euo pipefail
cd "$(dirname "$0")/../.."
exec python3 scripts/measure/ranks.py
