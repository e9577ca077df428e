"""Trains with this program and with PyTorch in turn, and prints how good their images are after the same time.

Run by scripts/measure/quality.sh, which describes the arguments and environment variables. Runs, images and figures are
kept in OUTPUT.
"""

import json
import math
import os
import shutil
import statistics
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

from quality_plot import plot

# The exit status of a run that reaches its time limit or gets a signal.
STOPPED = 5
PEER = "scripts/measure/pytorch-quality.py"


# What is asked for


def refuse(problem):
    print(problem, file=sys.stderr)
    sys.exit(2)


def whole_number(name, default, minimum, maximum=2**20):
    text = os.environ.get(name) or str(default)
    if not text.isdecimal() or not minimum <= int(text) <= maximum:
        refuse(f"{name}={text} is no whole number from {minimum} to {maximum}; the default is {default}.")
    return int(text)


def seeds_from_environment():
    texts = (os.environ.get("SEEDS") or "1 2").split()
    if not texts or len(set(texts)) < len(texts) or not all(text.isdecimal() and len(text) <= 6 for text in texts):
        refuse(f"SEEDS={' '.join(texts)} must be different whole numbers below a million, such as \"1 2\".")
    return [int(text) for text in texts]


def points_from_arguments():
    """The minutes of training after which images are measured."""
    points = []
    for text in sys.argv[1:] or ["1", "2", "4", "8", "16"]:
        try:
            points.append(float(text))
        except ValueError:
            refuse(f"{text} is no number of minutes.")
    if not all(0 < a < b for a, b in pairwise([*points, math.inf])):
        refuse(f"The minutes {' '.join(sys.argv[1:])} must be above 0, and each more than the one before.")
    return points


def layouts_from_environment(cores, batch):
    """Processes and threads to try in PyTorch."""
    processes = largest_divisor(batch, cores)
    default = dict.fromkeys([f"1x{cores}", f"{processes}x{cores // processes}"])
    layouts = []
    for text in (os.environ.get("PEER_LAYOUTS") or " ".join(default)).split():
        parts = [int(part) if part.isdecimal() else 0 for part in text.split("x")]
        if len(parts) != 2 or min(parts) < 1 or batch % parts[0]:
            refuse(f"PEER_LAYOUTS has {text}, which is not PROCESSESxTHREADS with processes that divide the batch "
                   f"of {batch}.")
        layouts.append(tuple(parts))
    return layouts


def largest_divisor(number, limit):
    return max(divisor for divisor in range(1, min(number, limit) + 1) if number % divisor == 0)


OUTPUT = Path(os.environ.get("OUTPUT") or "runs/quality")
PROGRAM = os.environ.get("PROGRAM") or ".build/release/ddpm-mpi"
PYTHON = os.environ.get("PYTHON")
PRESET = os.environ.get("PRESET") or "quickstart"
SETTINGS = (os.environ.get("SETTINGS") or "").split()
SEEDS = seeds_from_environment()
COUNT = whole_number("COUNT", 5000, 2)
SAMPLING_STEPS = whole_number("SAMPLING_STEPS", 50, 1, 1000)
REFERENCE_IMAGES = whole_number("REFERENCE_IMAGES", 60000, 2, 60000)


# Files and commands


def read(path, default=None):
    return json.loads(path.read_text()) if path.exists() else default


def write(path, value):
    """Writes JSON as a whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(value, indent=1) + "\n")
    partial.replace(path)


def json_lines(path):
    """The lines of a file, without one that was cut off when its program was killed."""
    return [json.loads(line) for line in path.read_text().split("\n")[:-1]] if path.exists() else []


def run(*command, statuses=(0,)):
    """Runs a command whose messages go to OUTPUT/log.txt; returns its output."""
    command = [str(part) for part in command]
    with open(OUTPUT / "log.txt", "a") as log:
        print("$", *command, file=log, flush=True)
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=log, text=True)
        log.write(result.stdout)
    if result.returncode not in statuses:
        sys.exit(f"{' '.join(command)} ended with status {result.returncode}; its messages are in {log.name}.")
    return result.stdout


def settings_of_run(folder):
    """The keys of a configuration that the program has written, and their values as text."""
    values, section = {}, ""
    for line in (folder / "config.yaml").read_text().splitlines():
        key, _, value = line.partition(":")
        if not value.strip():
            section = f"{key}."
        else:
            values[(section if key.startswith(" ") else "") + key.strip()] = value.strip()
    return values


# The sides. `train` trains until some seconds of training are done, and returns the steps done and their seconds;
# `checkpoint` is the model that it has left, for our program, which draws for both sides.


class Ours:
    name = "ddpm-mpi"

    def __init__(self, ranks, threads):
        self.ranks, self.threads = ranks, threads

    def describe(self):
        version = run(PROGRAM, "--version").strip()
        return f"ddpm-mpi {version}, {counted(self.ranks, 'rank')} with {counted(self.threads, 'thread')} each"

    def run(self, command, *arguments, statuses=(0,)):
        return run("env", f"THREADS={self.threads}", "scripts/mpirun.sh", self.ranks, PROGRAM, command,
                   "--threads", self.threads, *arguments, statuses=statuses)

    def folder(self, seed):
        return OUTPUT / f"seed-{seed}" / "ddpm-mpi"

    def train(self, seed, seconds):
        folder = self.folder(seed)
        step, trained = self.done(folder)
        if trained < seconds:
            # Every step is logged, so that the time of the last one is known.
            keys = ["training.steps=1000000", "training.checkpoint_every=none", "training.keep_checkpoints=all",
                    "training.sample_every=none", "training.log_every=1", "training.tensorboard=false",
                    f"seed={seed}"]
            options = ["--preset", PRESET, *settings_options(SETTINGS + keys)]
            if (folder / "config.yaml").exists():
                options = ["--resume"]
            limit = f"training.time_limit_minutes={(seconds - trained) / 60}"
            self.run("train", "--output", folder, *options, "--set", limit, statuses=(STOPPED,))
            reason = json_lines(folder / "journal.jsonl")[-1]["reason"]
            if "time_limit_minutes" not in reason:
                sys.exit(f"Training was stopped {reason}. The same command continues it.")
            step, trained = self.done(folder)
        return {"step": step, "seconds": trained}

    @staticmethod
    def done(folder):
        """The step of the newest checkpoint, and the seconds of training up to there."""
        step = max((int(path.stem.removeprefix("step-")) for path in (folder / "checkpoints").glob("step-*.h5")),
                   default=0)
        # The log's seconds begin anew whenever the run is resumed.
        starts = {entry["step"] for entry in json_lines(folder / "journal.jsonl")
                  if entry["event"] in ("start", "resume")}
        seconds = {line["step"]: line["seconds"] for line in json_lines(folder / "metrics.jsonl")}
        return step, sum(seconds[end] for end in starts | {step} if 0 < end <= step)

    def checkpoint(self, seed, step):
        return self.folder(seed) / "checkpoints" / f"step-{step:08d}.h5"

    def draw(self, checkpoint, seed, output):
        self.run("sample", "--checkpoint", checkpoint, "--count", COUNT, "--sampler", "ddim", "--spacing", "leading",
                 "--steps", SAMPLING_STEPS, "--seed", seed, "--images", output)

    def distance(self, images, reference):
        return json.loads(self.run("fid", images, reference, "--json"))["fid"]


class Peer:
    name = "PyTorch"

    def __init__(self, parameters, settings, cores):
        """Measures which layout is the fastest, once, and checks that the network is ours."""
        self.network, self.settings = OUTPUT / "exported", OUTPUT / "pytorch.json"
        write(self.settings, settings)
        file = OUTPUT / "pytorch-layouts.json"
        if not file.exists():
            variants = []
            for processes, threads in layouts_from_environment(cores, settings["batch"]):
                say(f"PyTorch's speed, {processes}x{threads}")
                result = self.run("speed", "--settings", self.settings, processes=processes, threads=threads)
                if result["parameters"] != parameters:
                    sys.exit(f"PyTorch's network has {result['parameters']} parameters and ours {parameters}.")
                variants += [
                    {"processes": processes, "threads": threads, "memory_format": name, "steps_per_second": speed,
                     "versions": result["versions"]} for name, speed in result["steps_per_second"].items()]
            write(file, variants)
        fastest = max(read(file), key=lambda variant: variant["steps_per_second"])
        self.processes, self.threads = fastest["processes"], fastest["threads"]
        self.memory_format, self.versions = fastest["memory_format"], fastest["versions"]

    def describe(self):
        return (f"{self.versions}, {counted(self.processes, 'process')} with {counted(self.threads, 'thread')} each, "
                f"{self.memory_format}, the fastest of {len(read(OUTPUT / 'pytorch-layouts.json'))}")

    def run(self, job, *arguments, processes, threads):
        text = run(PYTHON, PEER, job, "--network", self.network, "--processes", processes, "--threads", threads,
                   *arguments)
        return json.loads(text.strip().splitlines()[-1])

    def folder(self, seed):
        return OUTPUT / f"seed-{seed}" / "pytorch"

    def train(self, seed, seconds):
        result = self.run(
            "train", "--settings", self.settings, "--memory-format", self.memory_format, "--seed", seed, "--seconds",
            seconds, "--folder", self.folder(seed), processes=self.processes, threads=self.threads)
        return {"step": result["step"], "seconds": result["seconds"]}

    def checkpoint(self, seed, step):
        pipeline = self.folder(seed) / f"step-{step:08d}"
        checkpoint = pipeline.with_suffix(".h5")
        if not checkpoint.exists():
            run(PROGRAM, "import", pipeline, "--output", checkpoint)
        return checkpoint


def settings_options(settings):
    return [part for setting in settings for part in ("--set", setting)]


def counted(count, noun):
    plural = "es" if noun.endswith("s") else "s"
    return f"{count} {noun}{plural if count != 1 else ''}"


# What both sides have in common


def keep_choices(ours):
    """Refuses to mix figures that were measured in different ways."""
    choices = {"PRESET": PRESET, "SETTINGS": " ".join(SETTINGS), "COUNT": COUNT, "SAMPLING_STEPS": SAMPLING_STEPS,
               "REFERENCE_IMAGES": REFERENCE_IMAGES, "RANKS": ours.ranks, "THREADS": ours.threads}
    file = OUTPUT / "choices.json"
    for name, before in read(file, choices).items():
        if before != choices[name]:
            refuse(f"{OUTPUT} has figures with {name}={before}, not {choices[name]}; choose another OUTPUT.")
    write(file, choices)


def prepare_network():
    """Makes a run of one step and exports it: the keys, and the network as diffusers builds it.

    Returns the keys, and the number of parameters of our network.
    """
    folder, exported = OUTPUT / "network", OUTPUT / "exported"
    if not exported.exists():
        shutil.rmtree(folder, ignore_errors=True)
        keys = ["training.steps=1", "training.sample_every=none", "training.tensorboard=false"]
        run(PROGRAM, "train", "--preset", PRESET, *settings_options(SETTINGS + keys), "--output", folder)
        check_settings(settings_of_run(folder))
        run(PROGRAM, "export", "--checkpoint", folder, "--format", "diffusers", exported)
    return settings_of_run(folder), json_lines(folder / "journal.jsonl")[0]["job"]["parameters"]


def check_settings(keys):
    """Refuses what one side cannot do, or what makes no sense in a comparison by time."""
    required = {
        # The images that the features are for.
        "data.name": ["fashion-mnist"],
        # Others end with the run, whose number of steps is not known.
        "training.schedule": ["constant", "inverse-sqrt"],
        # What pytorch-quality.py trains.
        "model.classes": ["none"], "diffusion.process": ["vp"], "diffusion.prediction": ["noise"],
        "diffusion.loss": ["simple"], "diffusion.time_sampling": ["even"], "diffusion.variance": ["small", "large"],
    }
    for key, values in required.items():
        if keys[key] not in values:
            refuse(f"{key} is {keys[key]}, but here it must be {' or '.join(values)}.")


def peer_settings(keys):
    """The settings of PyTorch's training, apart from the network."""

    def number(key):
        return None if keys[key] == "none" else float(keys[key])

    decay_start = keys["training.decay_start"]
    if keys["training.schedule"] == "constant":
        decay_start = None
    elif decay_start == "default":
        decay_start = keys["training.warmup_steps"]
    return {
        "data_path": keys["data.path"],
        # By default, Fashion-MNIST is not mirrored.
        "flips": keys["data.flip"] == "true",
        "batch": int(keys["training.batch"]),
        "learning_rate": number("training.learning_rate"),
        "warmup_steps": int(keys["training.warmup_steps"]),
        "decay_start": None if decay_start is None else int(decay_start),
        "max_gradient_norm": number("training.max_gradient_norm"),
        "adam_betas": [number("training.adam_beta1"), number("training.adam_beta2")],
        "adam_epsilon": number("training.adam_epsilon"),
        "ema_decay": json.loads(keys["training.ema_decays"])[0],
        "ema_rampup": number("training.ema_rampup"),
    }


def prepare_reference(ours):
    """The statistics of the training images, which the program keeps when it evaluates a model."""
    folder = OUTPUT / "reference"
    if not list(folder.glob("*.npz")):
        ours.run("evaluate", "--checkpoint", OUTPUT / "network", "--count", 16, "--sampler", "ddim", "--steps", 1,
                 "--spacing", "trailing", "--measures", "fid", "--split", "training", "--reference-count",
                 REFERENCE_IMAGES, "--reference-cache", folder, "--json")
    return next(folder.glob("*.npz"))


# Measuring


def say(text):
    print(f"  {text}", file=sys.stderr, flush=True)


def measure(side, seed, point, ours, reference):
    """The figure of one side after some minutes; what there is of it already is not done again."""
    file = OUTPUT / f"seed-{seed}" / f"{side.folder(seed).name}.json"
    figures = read(file, {})
    name = f"{point:g}"
    label = f"{side.name}, seed {seed}, {name} min"
    if name not in figures:
        later = [other for other in figures if float(other) > point]
        if later:
            refuse(f"{side.name} has already trained for {later[0]} minutes; choose another OUTPUT for {name}.")
        say(f"{label}: training")
        figures[name] = side.train(seed, 60 * point)
        write(file, figures)
    figure = figures[name]
    if "fid" not in figure:
        say(f"{label}: drawing after {counted(figure['step'], 'step')}")
        images = OUTPUT / f"seed-{seed}" / f"{side.folder(seed).name}-{name}-min"
        shutil.rmtree(images, ignore_errors=True)
        ours.draw(side.checkpoint(seed, figure["step"]), seed, images)
        figure["fid"] = ours.distance(images, reference)
        write(file, figures)
    say(f"{label}: {counted(figure['step'], 'step')} in {figure['seconds']:.1f} s, "
        f"Fréchet distance {figure['fid']:.2f}")
    return figure


def minutes_to_reach(goal, points, distances):
    """When distances fall to the goal, interpolated on logarithmic axes; None if they never do."""
    if distances[0] <= goal:
        return points[0]
    for (start, before), (end, after) in pairwise(zip(points, distances)):
        if after <= goal < before:
            return start * (end / start) ** (math.log(before / goal) / math.log(before / after))
    return None


def comparison(points, curves):
    """When our mean distance reaches PyTorch's last one, in words."""
    goal = statistics.mean(curves[Peer.name][-1])
    distances = [statistics.mean(seeds) for seeds in curves[Ours.name]]
    minutes = minutes_to_reach(goal, points, distances)
    said = f"PyTorch's mean after {points[-1]:g} minutes, {goal:.2f},"
    if minutes is None:
        return f"{said} is not reached by ours."
    bound = "at most " if distances[0] <= goal else ""
    return f"{said} is reached by ours after {bound}{minutes:.2g} minutes."


def report(points, figures, sides):
    """Prints the table, and keeps it and the plot."""
    headings = ["minutes"] + [f"{side.name}{what}" for side in sides for what in (", steps", ", Fréchet distance")]
    lines = ["| " + " | ".join(headings) + " |", "|" + "---|" * len(headings)]
    for point in points:
        cells = [f"{point:g}"]
        for side in sides:
            seeds = [figures[side.name, seed, point] for seed in SEEDS]
            cells += [", ".join(str(figure["step"]) for figure in seeds),
                      ", ".join(f"{figure['fid']:.2f}" for figure in seeds)]
        lines.append("| " + " | ".join(cells) + " |")
    curves = {side.name: [[figures[side.name, seed, point]["fid"] for seed in SEEDS] for point in points]
              for side in sides}
    settings = f" with {', '.join(SETTINGS)}" if SETTINGS else ""
    processor = next(line[14:] for line in run(PROGRAM, "doctor").splitlines() if line.startswith("processor"))
    notes = [
        f"{PRESET}{settings}, seeds {', '.join(map(str, SEEDS))}; {COUNT} images of {SAMPLING_STEPS} steps of DDIM for "
        f"each distance, {REFERENCE_IMAGES} reference images",
        processor.split(", ")[0], *(side.describe() for side in sides)]
    if len(sides) > 1:
        notes.append(comparison(points, curves))
    table = "\n".join([*lines, "", *(f"- {note}" for note in notes)])
    (OUTPUT / "table.md").write_text(table + "\n")
    (OUTPUT / "quality.svg").write_text("\n".join(plot(points, curves)) + "\n")
    print(f"{table}\n\nThe plot is {OUTPUT / 'quality.svg'}.")


def main():
    points = points_from_arguments()
    if not os.access(PROGRAM, os.X_OK):
        sys.exit(f"There is no {PROGRAM}; build it with scripts/build.sh.")
    OUTPUT.mkdir(parents=True, exist_ok=True)
    keys, parameters = prepare_network()
    cores = int(run("scripts/shared/count-cores.sh"))
    micro_batches = int(keys["training.batch"]) // int(keys["training.micro_batch"])
    ranks = whole_number("RANKS", min(cores, micro_batches), 1)
    ours = Ours(ranks, whole_number("THREADS", max(1, cores // ranks), 1))
    keep_choices(ours)
    reference = prepare_reference(ours)
    sides = [ours]
    if PYTHON:
        sides.append(Peer(parameters, peer_settings(keys), ours.ranks * ours.threads))

    figures = {}
    turn = 0
    for seed in SEEDS:
        for point in points:
            # The order alternates, so that a machine that becomes slower or faster favours no side.
            for side in sides if turn % 2 == 0 else reversed(sides):
                figures[side.name, seed, point] = measure(side, seed, point, ours, reference)
            turn += 1
    report(points, figures, sides)


if __name__ == "__main__":
    main()
