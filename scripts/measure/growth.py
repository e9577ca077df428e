"""Measures how time and memory grow, and prints the tables.

Run by scripts/measure/growth.sh, which describes the arguments and environment variables.
"""

import json
import os
import subprocess
import sys

PROGRAM = os.environ.get("PROGRAM", ".build/release/ddpm-mpi")
PRESET = os.environ.get("PRESET", "quickstart")
JOB = os.environ.get("JOB", "train")
RANKS = int(os.environ.get("RANKS") or subprocess.run(
    ["scripts/shared/count-cores.sh"], capture_output=True, text=True, check=True).stdout)
THREADS = os.environ.get("THREADS", "1")
MICRO_BATCH = int(os.environ.get("MICRO_BATCH", "4"))
STEPS = os.environ.get("STEPS", "5")
# Two micro-batches per rank, so that gradients are also accumulated.
BATCH = 2 * RANKS * MICRO_BATCH


def measure(batch, *arguments):
    command = ["scripts/mpirun.sh", str(RANKS), PROGRAM, "benchmark", "--json", "--preset", PRESET, "--job", JOB,
               "--batch", str(batch), "--threads", THREADS, "--steps", STEPS, *arguments]
    if JOB == "train":
        command += ["--micro-batch", str(MICRO_BATCH)]
    process = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"THREADS": THREADS})
    if process.returncode != 0:
        sys.exit(process.returncode)
    return json.loads(process.stdout)


def print_table(title, heading, cases):
    """Prints one line per case; times, arithmetic and memory are also given relative to the first case."""
    print(f"\n{title}\n\n| {heading} | ms per image | relative | GFLOP per image, forward | relative | GiB, all ranks "
          "| relative |\n|" + "---|" * 7)
    first = None
    for name, batch, arguments in cases:
        result = measure(batch, *arguments)
        values = (1000 / result["images_per_second_median"], result["forward_gflop_per_image"],
                  result["peak_resident_gb"])
        first = first or values
        cells = [f"{value:.2f} | {value / start:.2f}" for value, start in zip(values, first)]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def batch_table():
    sizes = [RANKS * MICRO_BATCH * factor for factor in (1, 2, 4, 8)]
    print_table("Batch", "images per step", [(size, size, []) for size in sizes])


def channels_table():
    print_table(f"Channels of the first level, batch {BATCH}", "channels", [
        (channels, BATCH, ["--set", f"model.channels={channels}"]) for channels in (32, 64, 128)])


def resolution_table():
    # Networks for both sizes have a level of 16x16 pixels, so attention has the same resolution.
    print_table(f"Resolution, batch {BATCH}, attention at 16x16 and in the middle", "pixels", [
        (f"{size}x{size}", BATCH, ["--image-size", str(size), "--set", "model.attention_resolutions=[16]"])
        for size in (32, 64)])


TABLES = {"batch": batch_table, "channels": channels_table, "resolution": resolution_table}


def main():
    wanted = sys.argv[1:] or list(TABLES)
    for table in wanted:
        if table not in TABLES:
            print(f"There is no table {table}; the tables are {', '.join(TABLES)}.", file=sys.stderr)
            sys.exit(2)
    together = f", micro-batch {MICRO_BATCH}" if JOB == "train" else ""
    print(f"{JOB} {PRESET}: ranks {RANKS}, threads per rank {THREADS}{together}; medians of {STEPS} steps", flush=True)
    for table in wanted:
        TABLES[table]()


if __name__ == "__main__":
    main()
