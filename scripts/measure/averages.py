"""Trains with several averages of the weights, and prints tables of the Fréchet distances of their images.

Run by scripts/measure/averages.sh, which describes the environment variables. Runs and figures are kept in OUTPUT.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

OUTPUT = Path(os.environ.get("OUTPUT", "runs/averages"))
PRESET = os.environ.get("PRESET", "quickstart")
SETTINGS = os.environ.get("SETTINGS", "training.ema_decays=[0.999]").split()
STEPS = [int(text) for text in os.environ.get("STEPS", "").split()]
MINUTES = [] if STEPS else [float(text) for text in os.environ.get("MINUTES", "1 2 4 8").split()]
RAMPUPS = os.environ.get("RAMPUPS", "0.05 0.1").split()
SEED = os.environ.get("SEED", "1")
RANKS = os.environ.get("RANKS", "2")
IMAGES = os.environ.get("IMAGES", "2000")
SAMPLING_STEPS = os.environ.get("SAMPLING_STEPS", "50")
REFERENCE_IMAGES = os.environ.get("REFERENCE_IMAGES", "60000")
PYTHON = os.environ.get("PYTHON")
PROGRAM = os.environ.get("PROGRAM", ".build/release/ddpm-mpi")

# The exit status of a run that reaches its time limit.
TIME_LIMIT_REACHED = 5
# Nothing but training, so that the time limit counts training only.
TRAINING_ONLY = ["training.checkpoint_every=none", "training.keep_checkpoints=all", "training.sample_every=none",
         "training.log_every=100", f"seed={SEED}", *SETTINGS]


def run_program(*arguments, output=None, statuses=(0,)):
    print("  ddpm-mpi " + " ".join(arguments), file=sys.stderr, flush=True)
    result = subprocess.run(
        ["scripts/mpirun.sh", RANKS, PROGRAM, *arguments], stdout=output or sys.stderr, text=True, check=False)
    if result.returncode not in statuses:
        sys.exit(f"it ended with status {result.returncode}")
    return result.stdout


def checkpoints(folder):
    return sorted((folder / "checkpoints").glob("step-*.h5"))


def train(rampup, *, minutes=None, steps=None):
    """Starts or continues the run with a ramp, for some minutes or up to some step; returns its newest checkpoint."""
    folder = OUTPUT / f"rampup-{rampup}"
    options = [*TRAINING_ONLY, f"training.ema_rampup={rampup}"]
    if minutes:
        options.append(f"training.time_limit_minutes={minutes}")
    # With a time limit, the number of steps must not end the run.
    options.append(f"training.steps={steps or 1_000_000}")
    command = ["train", "--preset", PRESET, "--output", str(folder)]
    for option in options:
        command += ["--set", option]
    if checkpoints(folder):
        command.append("--resume")
    run_program(*command, statuses=(0, TIME_LIMIT_REACHED))
    return checkpoints(folder)[-1]


def train_without_ramp():
    """Returns a checkpoint of the run without a ramp for each point; their steps are the points of the other runs."""
    points = STEPS or MINUTES
    file = OUTPUT / "points.json"
    checkpoint_paths = json.loads(file.read_text()) if file.exists() else {}
    previous = 0
    for point in points:
        if str(point) not in checkpoint_paths:
            newest = train("none", steps=point) if STEPS else train("none", minutes=point - previous)
            checkpoint_paths[str(point)] = str(newest)
            file.write_text(json.dumps(checkpoint_paths))
        previous = point
    return [Path(checkpoint_paths[str(point)]) for point in points]


def distance(checkpoint, weights):
    """The Fréchet distance of images drawn with these weights; it is kept, so that it is computed once."""
    result = checkpoint.with_name(f"{checkpoint.stem}-{weights}.json")
    if not result.exists():
        text = run_program(
            "evaluate", "--checkpoint", str(checkpoint), "--weights", weights, "--count", IMAGES, "--measures", "fid",
            "--split", "training", "--reference-count", REFERENCE_IMAGES, "--steps", SAMPLING_STEPS, "--seed", SEED,
            "--json", output=subprocess.PIPE)
        json.loads(text)
        result.write_text(text)
    return f"{json.loads(result.read_text())['fid']:.2f}"


def print_row(point, cells):
    print(f"| {point:g} | " + " | ".join(cells) + " |", flush=True)


def our_table(references):
    unit = "after steps" if STEPS else "minutes"
    headings = [unit, "steps", "weights", "average, no ramp", *(f"average, ramp {rampup}" for rampup in RAMPUPS)]
    print("| " + " | ".join(headings) + " |\n|" + "---|" * len(headings), flush=True)
    for point, reference in zip(STEPS or MINUTES, references):
        steps = int(reference.stem.removeprefix("step-"))
        cells = [str(steps), distance(reference, "model"), distance(reference, "ema")]
        for rampup in RAMPUPS:
            checkpoint = OUTPUT / f"rampup-{rampup}" / "checkpoints" / reference.name
            if not checkpoint.exists():
                # This run has the same weights, bit for bit, but other averages.
                train(rampup, steps=steps)
            cells.append(distance(checkpoint, "ema"))
        print_row(point, cells)


def peer_table(reference):
    """PyTorch writes models for diffusers, which are imported and evaluated like ours."""
    folder = OUTPUT / "pytorch"
    exported = OUTPUT / "exported"
    if not exported.exists():
        subprocess.run(
            [PROGRAM, "export", "--checkpoint", str(reference), str(exported)], check=True, stdout=sys.stderr)
    limits = ["--steps", *map(str, STEPS)] if STEPS else ["--minutes", *map(str, MINUTES)]
    if not (folder / "done").exists():
        subprocess.run(
            [PYTHON, "scripts/measure/pytorch-averages.py", "--network", str(exported), "--configuration",
             str(OUTPUT / "rampup-none" / "config.yaml"), "--rampup", RAMPUPS[0], "--threads", RANKS, "--output",
             str(folder), *limits], check=True, stdout=sys.stderr)
    unit = "after steps" if STEPS else "minutes"
    print(f"\n| {unit} | steps | weights | average, no ramp | average, ramp {RAMPUPS[0]} |\n|" + "---|" * 5, flush=True)
    for number, point in enumerate(STEPS or MINUTES):
        point_folder = folder / str(number)
        cells = [(point_folder / "steps").read_text()]
        for kind in ("weights", "average", "ramp"):
            checkpoint = point_folder / f"{kind}.h5"
            if not checkpoint.exists():
                subprocess.run(
                    [PROGRAM, "import", str(point_folder / kind), "--preset", PRESET, "--output", str(checkpoint)],
                    check=True, stdout=sys.stderr)
            cells.append(distance(checkpoint, "model"))
        print_row(point, cells)


def main():
    OUTPUT.mkdir(parents=True, exist_ok=True)
    references = train_without_ramp()
    settings = ", ".join(SETTINGS)
    print(f"{PRESET}, {settings}, {RANKS} ranks, {IMAGES} images of {SAMPLING_STEPS} steps for each distance, "
          f"{REFERENCE_IMAGES} reference images.\n\nddpm-mpi\n", flush=True)
    our_table(references)
    if PYTHON:
        print("\nPyTorch", flush=True)
        peer_table(references[-1])


if __name__ == "__main__":
    main()
