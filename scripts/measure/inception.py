#!/usr/bin/env python3
"""Compares the speed of our Inception-v3 for FID with pytorch-fid's, in turn on the same cores.

    swift build -c release
    python3 scripts/measure/inception.py --python .build/peers/bin/python

Both sides compute the features of batches of 50 random images of 32x32 pixels, with random weights; the time depends on
neither. The first batch is a warm-up. --python is a Python with torch and pytorch-fid (scripts/test/peers.sh installs
one). The single runs are kept in .build/benchmarks. scripts/test/peers/benchmarks.sh runs this for a moment.
"""

import argparse
import statistics
import sys

from contest import Contest, Report, Side

KEY = "images_per_second_median"


def contest(threads, arguments):
    options = ["--batch", str(arguments.batch), "--side", str(arguments.side), "--threads", str(threads),
               "--steps", str(arguments.steps)]
    peer = [arguments.python, "scripts/measure/pytorch-inception.py", *options]
    return Contest(f"{threads} thread{'s' * (threads != 1)}", [
        Side("ddpm-mpi", [".build/release/peer-program", "inception-speed", *options], is_ours=True),
        Side("pytorch-fid", peer, is_ours=False),
        Side("pytorch-fid, channels last", [*peer, "--channels-last"], is_ours=False),
    ])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable, help="a Python with torch and pytorch-fid")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=3, help="batches to time in each round")
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--side", type=int, default=32)
    arguments = parser.parse_args()

    report = Report()
    print("| threads | images/s | pytorch-fid, images/s | ratio | its best layout, images/s | ratio |")
    print("|---:|---:|---:|---:|---:|---:|")
    for threads in arguments.threads:
        job = contest(threads, arguments)
        job.run_all(arguments.rounds, report)
        ours, default_layout, channels_last = (job.runs[side] for side in job.sides)
        if not default_layout or not channels_last:
            sys.exit(f"pytorch-fid failed; {report.folder} has its messages.")
        best = max(default_layout, channels_last, key=lambda runs: statistics.median(run[KEY] for run in runs))

        def ratio(theirs):
            return statistics.median(mine[KEY] / other[KEY] for mine, other in zip(ours, theirs))

        speeds = [statistics.median(run[KEY] for run in runs) for runs in (ours, default_layout, best)]
        print(f"| {threads} | {speeds[0]:.1f} | {speeds[1]:.1f} | {ratio(default_layout):.2f} "
              f"| {speeds[2]:.1f} | {ratio(best):.2f} |", flush=True)


if __name__ == "__main__":
    main()
