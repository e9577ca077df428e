"""Compares training with different arithmetic, and prints the table.

Run by scripts/measure/arithmetic.sh, which describes the environment variables.
"""

import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

SETTINGS = {
    "winograd": ["model.convolution=winograd"],
    "direct": ["model.convolution=direct"],
    "values": ["model.precision=bfloat16"],
    "operands": ["model.convolution=bfloat16"],
}
# The last steps whose losses count.
LAST = 50


def refuse(problem):
    print(problem, file=sys.stderr)
    sys.exit(2)


def number(name, default, least):
    text = os.environ.get(name, default)
    if not text.isdecimal() or int(text) < least:
        refuse(f"{name} is '{text}'; it must be a whole number of at least {least}, such as {default}.")
    return int(text)


VARIANTS = os.environ.get("VARIANTS", "winograd direct").split()
if len(VARIANTS) < 2 or len(set(VARIANTS)) < len(VARIANTS) or not set(VARIANTS) <= set(SETTINGS):
    refuse(f"VARIANTS is '{' '.join(VARIANTS)}'; it must be two or more of {', '.join(SETTINGS)}.")
SEEDS = os.environ.get("SEEDS", "1 2 3").split()
if len(SEEDS) < 2 or len(set(SEEDS)) < len(SEEDS) or not all(seed.isdecimal() for seed in SEEDS):
    refuse(f"SEEDS is '{' '.join(SEEDS)}'; it must be two or more different whole numbers.")
STEPS = number("STEPS", "300", 1)
COUNT = number("COUNT", "2000", 0)
SAMPLING_STEPS = number("SAMPLING_STEPS", "20", 1)
PRESET = os.environ.get("PRESET", "quickstart")
PROGRAM = os.environ.get("PROGRAM", ".build/release/ddpm-mpi")
if not os.access(PROGRAM, os.X_OK):
    print(f"There is no {PROGRAM}; build it with scripts/build.sh.", file=sys.stderr)
    sys.exit(1)


def ddpm(*arguments):
    """Runs the program on up to eight ranks, and returns what it prints."""
    cores = int(subprocess.run(["scripts/shared/count-cores.sh"], capture_output=True, text=True, check=True).stdout)
    command = ["scripts/mpirun.sh", str(min(cores, 8)), PROGRAM, *arguments]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        print(result.stdout + result.stderr, file=sys.stderr)
        sys.exit(1)
    return result.stdout


def figures(folder, variant, seed):
    """The figures of one run, which is trained unless it is there."""
    run = folder / f"{variant}-{seed}"
    result = folder / f"{variant}-{seed}.json"
    request = {"preset": PRESET, "steps": STEPS, "count": COUNT, "sampling_steps": SAMPLING_STEPS}
    if result.exists():
        kept = json.loads(result.read_text())
        if kept["request"] != request:
            refuse(f"{result} is of other settings, {kept['request']}; choose another OUTPUT.")
        return kept["figures"]
    if run.exists():
        arguments = ["--resume", "--output", str(run)]
    else:
        settings = SETTINGS[variant] + [
            f"seed={seed}",
            f"training.steps={STEPS}",
            "training.log_every=1",
            f"training.sample_every={STEPS}",
            f"training.checkpoint_every={STEPS}",
            "sampling.steps=1",
        ]
        arguments = ["--preset", PRESET, "--output", str(run)]
        arguments += itertools.chain.from_iterable(("--set", setting) for setting in settings)
    ddpm("train", *arguments)
    lines = (run / "metrics.jsonl").read_text().splitlines()
    values = {"loss": statistics.mean([json.loads(line)["loss"] for line in lines][-LAST:])}
    if COUNT > 0:
        sampling = ["--sampler", "ddim", "--steps", str(SAMPLING_STEPS)]
        text = ddpm(
            "evaluate", "--checkpoint", str(run), "--count", str(COUNT), "--measures", "fid", "--json", *sampling)
        values["Fréchet distance"] = next(json.loads(line)["fid"] for line in text.splitlines() if line[:1] == "{")
    result.write_text(json.dumps({"request": request, "figures": values}) + "\n")
    return values


def root_mean_square(numbers):
    return statistics.mean(x * x for x in numbers) ** 0.5


def compare(name, values):
    """Prints the table of a figure. Returns the variants that differ from the first by more than seeds do."""
    print(f"| {name}, seed | " + " | ".join(VARIANTS) + " |")
    print("|---" * (len(VARIANTS) + 1) + "|")
    for seed in SEEDS:
        print(f"| {seed} | " + " | ".join(f"{values[variant, seed]:.4g}" for variant in VARIANTS) + " |")
    first = VARIANTS[0]
    # Two seeds differ by √2 standard deviations in the root mean square.
    pairs = itertools.combinations(SEEDS, 2)
    between_seeds = root_mean_square([values[first, a] - values[first, b] for a, b in pairs])
    between = {
        variant: root_mean_square([values[variant, seed] - values[first, seed] for seed in SEEDS])
        for variant in VARIANTS[1:]
    }
    differences = " | ".join(f"{difference:.2g}" for difference in between.values())
    print(f"| root mean square difference from {first} | | {differences} |")
    print(f"| ... and between seeds | {between_seeds:.2g} |" + " |" * len(between))
    print()
    return [f"{variant} ({name})" for variant, difference in between.items() if difference > between_seeds]


def measure(folder):
    folder.mkdir(parents=True, exist_ok=True)
    runs = {(variant, seed): figures(folder, variant, seed) for seed in SEEDS for variant in VARIANTS}
    names = list(next(iter(runs.values())))
    worse = [text for name in names for text in compare(name, {key: run[name] for key, run in runs.items()})]
    if worse:
        sys.exit(f"More than between seeds: {', '.join(worse)}.")


if "OUTPUT" in os.environ:
    measure(Path(os.environ["OUTPUT"]))
else:
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder))
