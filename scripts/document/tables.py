"""Trains and measures the models of docs/tables.md, and prints its tables.

Run by scripts/document/tables.sh, which describes the environment variables. Models and figures are kept in OUTPUT.
"""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

OUTPUT = Path(os.environ.get("OUTPUT", "runs/tables"))
TABLES = os.environ.get("TABLES", "objectives processes samplers").split()
SEEDS = os.environ.get("SEEDS", "1 2 3").split()
RANKS = os.environ.get("RANKS", "2")
STEPS = int(os.environ.get("STEPS", "3000"))
IMAGES = int(os.environ.get("IMAGES", "2000"))
SAMPLING_STEPS = int(os.environ.get("SAMPLING_STEPS", "100"))
LIKELIHOOD_IMAGES = int(os.environ.get("LIKELIHOOD_IMAGES", "256"))
REFERENCE_IMAGES = os.environ.get("REFERENCE_IMAGES", "60000")
PROGRAM = os.environ.get("PROGRAM", ".build/release/ddpm-mpi")

# Prediction, loss and variance (Ho et al. 2020, table 2), with the values of our keys. The unweighted squared error of
# the mean, which was unstable in the paper, is included.
OBJECTIVES = {
    "μ̃, L, learned Σ": {"prediction": "mean", "loss": "variational", "variance": "learned"},
    "μ̃, L, fixed Σ": {"prediction": "mean", "loss": "variational", "variance": "small"},
    "μ̃, squared error of the mean": {"prediction": "mean", "loss": "simple", "variance": "small"},
    "ε, L, learned Σ": {"prediction": "noise", "loss": "variational", "variance": "learned"},
    "ε, L, fixed Σ": {"prediction": "noise", "loss": "variational", "variance": "small"},
    "ε, L_simple": {"prediction": "noise", "loss": "simple", "variance": "small"},
}

# Song et al. 2021, table 2. Likelihoods and images are computed with the probability-flow equation for all three.
PROCESSES = {
    "DDPM": OBJECTIVES["ε, L_simple"],
    "VP": {"process": "vp-sde", "loss": "score-matching"},
    "sub-VP": {"process": "sub-vp-sde", "loss": "score-matching"},
}
PROBABILITY_FLOW = ["--sampler", "ode-rk45", "--tolerance", "1e-3"]

# Samplers of the ε, L_simple model, and their evaluations of the network per step.
SAMPLERS = {
    "ddpm": (["--sampler", "ddpm"], 1),
    "ddim, η = 0": (["--sampler", "ddim", "--eta", "0"], 1),
    "ddim, η = 1": (["--sampler", "ddim", "--eta", "1"], 1),
    "dpm-solver++": (["--sampler", "dpm-solver++"], 1),
    "ode-heun": (["--sampler", "ode-heun"], 2),
}
EVALUATIONS = [int(count) for count in os.environ.get("EVALUATIONS", "10 20 50 100").split()]


def trained_model(settings, seed):
    """The run folder of a model, which is trained if it does not exist yet."""
    folder = OUTPUT / f"{'-'.join(settings.values())}-seed-{seed}"
    if (folder / "checkpoints" / f"step-{STEPS:08d}.h5").exists():
        return folder
    options = [f"seed={seed}", f"training.steps={STEPS}", "training.checkpoint_every=1000",
               "training.keep_checkpoints=1", f"training.sample_every={STEPS}", f"sampling.steps={SAMPLING_STEPS}"]
    options += [f"diffusion.{key}={value}" for key, value in settings.items()]
    command = ["train", "--preset", "quickstart", "--output", str(folder)]
    for option in options:
        command += ["--set", option]
    if (folder / "checkpoints").exists():
        command.append("--resume")
    run(command, sys.stderr)
    return folder


def measure(folder, name, command):
    """The output of a command that prints JSON; it is kept in the run folder, so that it is computed once."""
    result = folder / f"{name}.json"
    if not result.exists():
        text = run([*command, "--checkpoint", str(folder), "--json"], subprocess.PIPE)
        json.loads(text)
        result.write_text(text)
    return json.loads(result.read_text())


def run(arguments, output):
    print("  ddpm-mpi " + " ".join(arguments), file=sys.stderr, flush=True)
    result = subprocess.run(
        ["scripts/mpirun.sh", RANKS, PROGRAM, *arguments], stdout=output, text=True, check=True)
    return result.stdout


def quality(folder, name="quality", options=()):
    return measure(folder, name, [
        "evaluate", "--count", str(IMAGES), "--measures", "fid,is", "--split", "training", "--reference-count",
        REFERENCE_IMAGES, "--seed", "1", *options])


def mean_and_standard_deviation(values, digits):
    """The mean and, for several values, the standard deviation, with this number of decimals."""
    mean = f"{statistics.mean(values):.{digits}f}"
    return mean + (f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else "")


def objectives():
    print("| predicted, loss | FID | IS |\n|---|---|---|", flush=True)
    for row, settings in OBJECTIVES.items():
        figures = [quality(trained_model(settings, seed), options=["--steps", str(SAMPLING_STEPS)]) for seed in SEEDS]
        fid = mean_and_standard_deviation([result["fid"] for result in figures], 2)
        inception_score = mean_and_standard_deviation([result["inception_score"] for result in figures], 2)
        print(f"| {row} | {fid} | {inception_score} |", flush=True)


def processes():
    print("| process | NLL, bits per dimension | FID |\n|---|---|---|", flush=True)
    for row, settings in PROCESSES.items():
        bits, distances = [], []
        for seed in SEEDS:
            folder = trained_model(settings, seed)
            bits.append(measure(folder, "likelihood", [
                "likelihood", "--method", "ode", "--count", str(LIKELIHOOD_IMAGES)])["bits_per_dimension"])
            distances.append(quality(folder, "flow-quality", PROBABILITY_FLOW)["fid"])
        print(f"| {row} | {mean_and_standard_deviation(bits, 3)} | {mean_and_standard_deviation(distances, 2)} |",
              flush=True)


def samplers():
    headings = " | ".join(str(count) for count in EVALUATIONS)
    print(f"| FID after evaluations | {headings} |\n|---|" + "---|" * len(EVALUATIONS), flush=True)
    folders = [trained_model(OBJECTIVES["ε, L_simple"], seed) for seed in SEEDS]
    for row, (options, evaluations_per_step) in SAMPLERS.items():
        cells = []
        for count in EVALUATIONS:
            name = "quality-" + "".join(c if c.isalnum() else "-" for c in row) + f"-{count}"
            steps = ["--steps", str(count // evaluations_per_step)]
            distances = [quality(folder, name, [*options, *steps])["fid"] for folder in folders]
            cells.append(mean_and_standard_deviation(distances, 2))
        print(f"| {row} | " + " | ".join(cells) + " |", flush=True)


def main():
    tables = {"objectives": objectives, "processes": processes, "samplers": samplers}
    unknown = [name for name in TABLES if name not in tables]
    if unknown:
        sys.exit(f"TABLES: there is no table {unknown[0]}; they are {', '.join(tables)}")
    OUTPUT.mkdir(parents=True, exist_ok=True)
    print(f"Fashion-MNIST, quickstart's network, {STEPS} steps of 32 images, {len(SEEDS)} seeds (± is their standard "
          f"deviation), {IMAGES} images for each FID and IS, on the features of fashion-mnist-classifier.")
    for name in TABLES:
        print(f"\n{name}\n")
        tables[name]()


if __name__ == "__main__":
    main()
