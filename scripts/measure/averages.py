"""The work of averages.sh, which says what it does."""

import json
import os
import pathlib
import subprocess
import sys

OUTPUT = pathlib.Path(os.environ.get("OUTPUT", "runs/averages"))
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

STOPPED = 5
# Nothing but training, so that minutes are minutes of it.
QUIET = ["training.checkpoint_every=none", "training.keep_checkpoints=all", "training.sample_every=none",
         "training.log_every=100", f"seed={SEED}", *SETTINGS]


def ours(*arguments, output=None, statuses=(0,)):
    print("  ddpm-mpi " + " ".join(arguments), file=sys.stderr, flush=True)
    result = subprocess.run(
        ["scripts/mpirun.sh", RANKS, PROGRAM, *arguments], stdout=output or sys.stderr, text=True, check=False)
    if result.returncode not in statuses:
        sys.exit(f"it ended with status {result.returncode}")
    return result.stdout


def checkpoints(folder):
    return sorted((folder / "checkpoints").glob("step-*.h5"))


def train(rampup, *, minutes=None, steps=None):
    """Goes on with the run of a ramp, for so many minutes or up to so many steps; returns its newest checkpoint."""
    folder = OUTPUT / f"rampup-{rampup}"
    options = [*QUIET, f"training.ema_rampup={rampup}"]
    if minutes:
        options.append(f"training.time_limit_minutes={minutes}")
    # By time, it must not come to its last step before.
    options.append(f"training.steps={steps or 1_000_000}")
    command = ["train", "--preset", PRESET, "--output", str(folder)]
    for option in options:
        command += ["--set", option]
    if checkpoints(folder):
        command.append("--resume")
    ours(*command, statuses=(0, STOPPED))
    return checkpoints(folder)[-1]


def trained_without_ramp():
    """The checkpoints of the run without a ramp, one for each point; the steps of the others follow from them."""
    points = STEPS or MINUTES
    kept = OUTPUT / "points.json"
    found = json.loads(kept.read_text()) if kept.exists() else {}
    before = 0
    for point in points:
        if str(point) not in found:
            newest = train("none", steps=point) if STEPS else train("none", minutes=point - before)
            found[str(point)] = str(newest)
            kept.write_text(json.dumps(found))
        before = point
    return [pathlib.Path(found[str(point)]) for point in points]


def distance(checkpoint, weights):
    kept = checkpoint.with_name(f"{checkpoint.stem}-{weights}.json")
    if not kept.exists():
        text = ours(
            "evaluate", "--checkpoint", str(checkpoint), "--weights", weights, "--count", IMAGES, "--measures", "fid",
            "--split", "training", "--reference-count", REFERENCE_IMAGES, "--steps", SAMPLING_STEPS, "--seed", SEED,
            "--json", output=subprocess.PIPE)
        json.loads(text)
        kept.write_text(text)
    return f"{json.loads(kept.read_text())['fid']:.2f}"


def row(point, cells):
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
                # The same weights, bit by bit.
                train(rampup, steps=steps)
            cells.append(distance(checkpoint, "ema"))
        row(point, cells)


def peer_table(reference):
    """PyTorch writes models for diffusers, which are imported and measured as ours are."""
    folder = OUTPUT / "pytorch"
    exported = OUTPUT / "exported"
    if not exported.exists():
        subprocess.run([PROGRAM, "export", "--checkpoint", str(reference), str(exported)], check=True, stdout=sys.stderr)
    limits = ["--steps", *map(str, STEPS)] if STEPS else ["--minutes", *map(str, MINUTES)]
    if not (folder / "done").exists():
        subprocess.run(
            [PYTHON, "scripts/measure/pytorch-averages.py", "--network", str(exported), "--configuration",
             str(OUTPUT / "rampup-none" / "config.yaml"), "--rampup", RAMPUPS[0], "--threads", RANKS, "--output",
             str(folder), *limits], check=True, stdout=sys.stderr)
    unit = "after steps" if STEPS else "minutes"
    print(f"\n| {unit} | steps | weights | average, no ramp | average, ramp {RAMPUPS[0]} |\n|" + "---|" * 5, flush=True)
    for number, point in enumerate(STEPS or MINUTES):
        place = folder / str(number)
        cells = [(place / "steps").read_text()]
        for kind in ("weights", "average", "ramp"):
            checkpoint = place / f"{kind}.h5"
            if not checkpoint.exists():
                subprocess.run(
                    [PROGRAM, "import", str(place / kind), "--preset", PRESET, "--output", str(checkpoint)], check=True,
                    stdout=sys.stderr)
            cells.append(distance(checkpoint, "model"))
        row(point, cells)


def main():
    OUTPUT.mkdir(parents=True, exist_ok=True)
    references = trained_without_ramp()
    settings = ", ".join(SETTINGS)
    print(f"{PRESET}, {settings}, {RANKS} ranks, {IMAGES} images of {SAMPLING_STEPS} steps for each distance, "
          f"{REFERENCE_IMAGES} reference images.\n\nddpm-mpi\n", flush=True)
    our_table(references)
    if PYTHON:
        print("\nPyTorch", flush=True)
        peer_table(references[-1])


if __name__ == "__main__":
    main()
