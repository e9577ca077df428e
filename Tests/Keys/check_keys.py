"""Trains for two steps with another value of each configuration key, and compares the run with the default.

    python check_keys.py PROGRAM FOLDER

A key must change the part of a run that `KEYS` names, or be refused with the message there. Keys that affect how
results are computed, but not the results, must change none; for these, `KEYS` names a test of their effect. A key that
is missing from `KEYS` is an error, and so is a command-line option that no test names. scripts/test/keys.sh runs this;
FOLDER is for the runs. Needs Pillow, numpy and h5py.
"""

import concurrent.futures
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
from PIL import Image

REPOSITORY = Path(__file__).resolve().parents[2]

BASE = {
    "model.channels": "16", "model.multipliers": "[1, 1]", "model.attention_resolutions": "[16]",
    "training.batch": "2", "training.micro_batch": "1", "training.steps": "2", "training.warmup_steps": "1",
    "training.learning_rate": "0.01", "training.checkpoint_every": "2", "training.sample_every": "2",
    "training.log_every": "2", "sampling.count": "1", "sampling.steps": "2", "evaluation.count": "10",
    "evaluation.reference_count": "12",
}
VARIANCE_EXPLODING = {"diffusion.process": "ve-sde", "model.embedding": "fourier"}
DISCRETE_VARIANCE_EXPLODING = {"diffusion.process": "ve"}
CLASSES = {"model.classes": "5"}
VELOCITY = {"diffusion.prediction": "velocity"}
GUIDED = CLASSES | {"training.label_dropout": "0.5"}
# More than two steps: after two steps with an untrained network, every pixel is black or white.
CORRECTED = {"sampling.sampler": "predictor-corrector", "sampling.steps": "6"}
CHURNED = {"sampling.sampler": "edm", "sampling.steps": "3", "sampling.churn": "2"}
FASHION = {"data.name": "fashion-mnist"}
MEASURED = FASHION | {"evaluation.every": "2"}
EDM = {"diffusion.process": "edm", "diffusion.loss": "edm"}
FIELDS = {"data.name": "gaussian-field"}
GIVEN_FIELDS = FIELDS | {"data.channels": "2", "data.conditions": "[field_2]"}
GIVEN_GREY = {"data.conditions": "[grey]"}
IMAGE_FOLDER = {"data.name": "folder", "data.path": "images", "data.background": "black"}

# The parts of a run that a key may change.
WEIGHTS = "weights"
AVERAGES = "averages"
STATE = "state"  # the rest of a checkpoint
SAMPLES = "samples"
METRICS = "metrics"
MEASURES = "measures"
FILES = "files"


class Refused:
    """The value is refused with this exit status and a message that matches the pattern."""

    def __init__(self, pattern, status=2):
        self.pattern, self.status = pattern, status


class Unchanged:
    """Results do not change. The test file has a test of the key's effect, and must contain the word."""

    def __init__(self, path, word):
        self.path, self.word = path, word


# For each key: another value, its effect, and further settings of both runs.
KEYS = {
    "seed": ("1", WEIGHTS),
    "data.name": ("fashion-mnist", WEIGHTS),
    "data.path": ("/nowhere", Refused("/nowhere.*neither it nor its .gz exists"), {"data.name": "mnist"}),
    "data.flip": ("true", WEIGHTS),
    "data.background": ("white", WEIGHTS, IMAGE_FOLDER),
    "data.channels": ("1", WEIGHTS, IMAGE_FOLDER),
    "data.orientation": ("as-stored", WEIGHTS, IMAGE_FOLDER),
    "data.conditions": ("[grey]", WEIGHTS),
    "data.normalisation": ("range", WEIGHTS, FIELDS),
    "model.channels": ("32", WEIGHTS),
    "model.multipliers": ("[1, 2]", WEIGHTS),
    "model.blocks": ("2", WEIGHTS),
    "model.attention_resolutions": ("[]", WEIGHTS),
    "model.heads": ("4", WEIGHTS),
    "model.head_channels": ("4", WEIGHTS),
    "model.dropout": ("0.5", WEIGHTS),
    "model.groups": ("4", WEIGHTS),
    "model.group_channels": ("4", WEIGHTS),
    "model.classes": ("5", WEIGHTS),
    "model.convolution": ("direct", WEIGHTS),
    "model.precision": ("bfloat16", WEIGHTS),
    "model.periodic": ("both", WEIGHTS),
    "model.block": ("biggan", WEIGHTS),
    "model.fir": ("true", WEIGHTS, {"model.block": "biggan"}),
    "model.up_attention": ("last-block", WEIGHTS),
    "model.skip_rescale": ("true", WEIGHTS),
    "model.attention_init_scale": ("0.1", WEIGHTS),
    "model.embedding": ("fourier", WEIGHTS, {"diffusion.process": "ve-sde"}),
    "model.time_conditioning": ("scale-shift", WEIGHTS),
    "model.fourier_scale": ("2.0", WEIGHTS, VARIANCE_EXPLODING),
    "model.progressive_input": ("residual", WEIGHTS),
    "model.progressive_combine": ("cat", WEIGHTS, {"model.progressive_input": "input-skip"}),
    "model.progressive_output": ("output-skip", WEIGHTS),
    "model.scale_by_sigma": ("true", WEIGHTS, VARIANCE_EXPLODING),
    "diffusion.process": ("vp-sde", WEIGHTS),
    "diffusion.steps": ("500", WEIGHTS),
    "diffusion.rescale_times": ("true", WEIGHTS, {"diffusion.steps": "500"}),
    "diffusion.schedule": ("cosine", WEIGHTS),
    "diffusion.beta_first": ("0.001", WEIGHTS),
    "diffusion.beta_last": ("0.03", WEIGHTS),
    "diffusion.zero_terminal_snr": ("true", WEIGHTS, VELOCITY),
    "diffusion.sigma_min": ("0.02", WEIGHTS, DISCRETE_VARIANCE_EXPLODING),
    "diffusion.sigma_max": ("60.0", WEIGHTS, DISCRETE_VARIANCE_EXPLODING),
    "diffusion.sigma_data": ("1.0", WEIGHTS, EDM),
    "diffusion.p_mean": ("0.0", WEIGHTS, EDM),
    "diffusion.p_std": ("0.5", WEIGHTS, EDM),
    "diffusion.prediction": ("velocity", WEIGHTS),
    "diffusion.scale_input": ("false", WEIGHTS, DISCRETE_VARIANCE_EXPLODING),
    "diffusion.loss": ("min-snr", WEIGHTS),
    "diffusion.time_sampling": ("loss-aware", STATE),
    "diffusion.variance": ("large", SAMPLES),
    "training.steps": ("3", WEIGHTS),
    "training.batch": ("4", WEIGHTS),
    "training.micro_batch": ("2", WEIGHTS),
    "training.label_dropout": ("0.9", WEIGHTS, CLASSES),
    "training.condition_dropout": ("0.9", WEIGHTS, GIVEN_GREY),
    "training.recompute_activations": (
        "blocks", Unchanged("Tests/ProgramTests/ContinuousProcessTests.swift", "training.recompute_activations")),
    "training.learning_rate": ("0.02", WEIGHTS),
    "training.warmup_steps": ("9", WEIGHTS),
    "training.schedule": ("linear", WEIGHTS, {"training.warmup_steps": "0"}),
    "training.decay_start": ("1", WEIGHTS, {"training.schedule": "linear", "training.warmup_steps": "0"}),
    "training.max_gradient_norm": ("0.001", WEIGHTS),
    "training.ema_decays": ("[0.5]", AVERAGES),
    "training.ema_rampup": ("none", AVERAGES),
    "training.adam_beta1": ("0.5", WEIGHTS),
    "training.adam_beta2": ("0.5", WEIGHTS),
    "training.adam_epsilon": ("0.01", WEIGHTS),
    "training.overlap": ("false", Unchanged("Tests/RankChecks/ExchangeChecks.swift", "overlaps")),
    "training.release_gradients": ("true", Unchanged("Tests/RankChecks/ExchangeChecks.swift", "releasesGradients")),
    "training.wire": ("bfloat16", Unchanged("Tests/RankChecks/ExchangeChecks.swift", "bfloat16")),
    "training.checkpoint_every": ("1", FILES),
    "training.keep_checkpoints": ("1", FILES, {"training.checkpoint_every": "1"}),
    "training.save_beside": ("false", Unchanged("scripts/test/report.sh", "training.save_beside")),
    "training.save_timeout_seconds": ("999.0", Unchanged("scripts/test/cluster/faults.sh", "save_timeout_seconds")),
    "training.hang_timeout_seconds": ("999.0", Unchanged("scripts/test/cluster/faults.sh", "hang_timeout_seconds")),
    "training.time_limit_minutes": ("1e-9", Refused("training.time_limit_minutes is reached", status=5)),
    "training.log_every": ("1", METRICS),
    "training.sample_every": ("1", FILES),
    "training.tensorboard": ("false", FILES),
    "sampling.count": ("2", SAMPLES),
    "sampling.sampler": ("ddim", SAMPLES),
    "sampling.steps": ("3", SAMPLES),
    "sampling.spacing": ("trailing", SAMPLES),
    "sampling.clip": ("false", SAMPLES),
    "sampling.variance": ("large", SAMPLES),
    "sampling.eta": ("1.0", SAMPLES, {"sampling.sampler": "ddim"}),
    "sampling.corrections": ("2", SAMPLES, CORRECTED),
    "sampling.snr": ("0.5", SAMPLES, CORRECTED),
    "sampling.tolerance": ("0.5", SAMPLES, {"sampling.sampler": "ode-rk45", "sampling.steps": "250"}),
    "sampling.churn": ("2.0", SAMPLES, {"sampling.sampler": "edm", "sampling.steps": "3"}),
    "sampling.churn_min": ("100.0", SAMPLES, CHURNED),
    "sampling.churn_max": ("1e-3", SAMPLES, CHURNED),
    "sampling.churn_noise": ("1.5", SAMPLES, CHURNED),
    "sampling.guidance": ("2.0", SAMPLES, GUIDED),
    "evaluation.every": ("2", FILES, FASHION),
    "evaluation.count": ("12", MEASURES, MEASURED),
    "evaluation.members": ("4", MEASURES, GIVEN_FIELDS | {"evaluation.every": "2"}),
    "evaluation.measures": ("[fid, kid]", MEASURES, MEASURED),
    "evaluation.features": ("/nowhere", Refused("/nowhere"), MEASURED),
    "evaluation.split": ("test", MEASURES, MEASURED),
    "evaluation.reference_count": ("14", MEASURES, MEASURED),
}


class Run:
    """A run with some settings, shared by all keys that need it."""

    all = {}

    def __init__(self, program, folder, settings):
        self.folder = folder
        self.path = folder / f"run-{len(Run.all)}"
        self.command = [program, "train", "--preset", "shapes", "--output", str(self.path)]
        for key, value in settings.items():
            self.command += ["--set", f"{key}={value}"]
        self.result = None

    @staticmethod
    def of(program, folder, settings):
        name = json.dumps(settings, sort_keys=True)
        if name not in Run.all:
            Run.all[name] = Run(program, folder, settings)
        return Run.all[name]

    def train(self):
        self.result = subprocess.run(
            self.command, capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd=self.folder
        )

    def tensors(self, select):
        """The last checkpoint's tensors whose names satisfy `select`."""
        tensors = {}

        def collect(name, item):
            if isinstance(item, h5py.Dataset) and select(name):
                tensors[name] = item[()]

        with h5py.File(sorted((self.path / "checkpoints").glob("step-*.h5"))[-1]) as file:
            file.visititems(collect)
        return tensors

    def lines(self, name, without=()):
        """The objects of a file with a JSON object per line; None if there is no such file."""
        path = self.path / name
        if not path.exists():
            return None
        return [
            {key: value for key, value in json.loads(line).items() if key not in without}
            for line in path.read_text().splitlines()
        ]

    def part(self, what):
        """A part of the run, to be compared by `same`."""
        if what == WEIGHTS:
            return self.tensors(lambda name: name.startswith("model/"))
        if what == AVERAGES:
            return self.tensors(lambda name: name.startswith("ema/"))
        if what == STATE:
            return self.tensors(lambda name: not name.startswith(("model/", "ema/", "adam/")))
        if what == SAMPLES:
            return {path.name: path.read_bytes() for path in sorted((self.path / "samples").glob("*"))[-1:]}
        if what == METRICS:
            return self.lines("metrics.jsonl", without=("seconds", "images_per_second"))
        if what == MEASURES:
            lines = self.lines("evaluations.jsonl") or []
            names = "fid|kid|precision|variables"
            return [{key: value for key, value in line.items() if re.search(names, key)} for line in lines]
        names = [str(path.relative_to(self.path)) for path in self.path.rglob("*") if path.is_file()]
        return sorted(re.sub("tfevents.*", "tfevents", name) for name in names)


def same(first, second):
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(np.array_equal(first[key], second[key]) for key in first)
    return first == second


def find_problem(what, default, changed):
    """Describes the difference between a key's effect and the expected one; None if there is no difference."""
    if isinstance(what, Refused):
        output = changed.result.stdout + changed.result.stderr
        if changed.result.returncode != what.status or not re.search(what.pattern, output):
            return f"it ended with {changed.result.returncode}, saying {output[-300:]}"
        return None
    if default.result.returncode:
        return f"the run with the default failed: {default.result.stderr[-300:]}"
    if changed.result.returncode:
        return f"the run with the other value failed: {changed.result.stderr[-300:]}"
    if isinstance(what, Unchanged):
        if what.word not in (REPOSITORY / what.path).read_text():
            return f"{what.path} does not test it"
        for part in (WEIGHTS, AVERAGES, SAMPLES):
            if not same(default.part(part), changed.part(part)):
                return f"it changes {part}"
        return None
    if same(default.part(what), changed.part(what)):
        return f"it changes no {what}"
    if what in (AVERAGES, SAMPLES, METRICS, MEASURES, FILES) and not same(default.part(WEIGHTS), changed.part(WEIGHTS)):
        return "it changes weights too"
    return None


def untested_options(program):
    """The options of all commands that no test names."""
    patterns = ("scripts/test/*.sh", "scripts/test/peers/*.sh", "Tests/ProgramTests/*.swift")
    tests = [path for pattern in patterns for path in REPOSITORY.glob(pattern)]
    text = "\n".join(path.read_text().replace("\\\n", " ") for path in tests)
    commands = subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout
    names = re.findall(r"^  ([a-z-]+)  ", commands.split("SUBCOMMANDS:")[1], re.M)
    missing = []
    for name in names:
        help_text = subprocess.run([program, name, "--help"], capture_output=True, text=True, check=True).stdout
        for option in sorted(set(re.findall(r"^  (--[a-z-]+)", help_text, re.M)) - {"--version", "--help"}):
            if not re.search(rf"{re.escape(option)}\b", text):
                missing.append(f"{name} {option}")
    return missing


def draw_images(folder):
    """Writes colour images with transparent pixels, and an EXIF orientation that rotates them by 90 degrees."""
    folder.mkdir()
    random = np.random.default_rng(1)
    exif = Image.Exif()
    exif[0x0112] = 6
    for index in range(4):
        pixels = random.integers(0, 256, (32, 32, 4), dtype=np.uint8)
        Image.fromarray(pixels, "RGBA").save(folder / f"{index}.png", exif=exif)


def main():
    program, folder = os.path.abspath(sys.argv[1]), Path(sys.argv[2])
    draw_images(folder / "images")
    configuration = subprocess.run(
        [program, "presets", "quickstart"], capture_output=True, text=True, check=True).stdout
    names, section = [], ""
    for line in configuration.splitlines():
        name, _, value = line.partition(":")
        section = name if not line.startswith(" ") and not value.strip() else section if line.startswith(" ") else ""
        if value.strip():
            names.append(f"{section}.{name.strip()}" if section else name)
    problems = [f"{name} is no key" for name in KEYS.keys() - set(names)]
    problems += [f"{name}: Tests/Keys/check_keys.py does not say what it changes" for name in names if name not in KEYS]

    pairs = {}
    for key, (value, what, *more) in KEYS.items():
        settings = BASE | (more[0] if more else {})
        pairs[key] = (what, Run.of(program, folder, settings), Run.of(program, folder, settings | {key: value}))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(Run.train, Run.all.values()))
    for key, (what, default, changed) in pairs.items():
        problem = find_problem(what, default, changed)
        if problem:
            problems.append(f"{key}: {problem}")
    problems += [f"{option} has no test" for option in untested_options(program)]
    print("\n".join(problems) or f"{len(KEYS)} keys, {len(Run.all)} runs")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
