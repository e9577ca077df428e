"""The work of tables.sh, which says what it does."""

import json
import os
import pathlib
import statistics
import subprocess
import sys

OUTPUT = pathlib.Path(os.environ.get("OUTPUT", "runs/tables"))
TABLES = os.environ.get("TABLES", "objectives processes samplers").split()
SEEDS = os.environ.get("SEEDS", "1 2 3").split()
RANKS = os.environ.get("RANKS", "2")
STEPS = int(os.environ.get("STEPS", "3000"))
IMAGES = int(os.environ.get("IMAGES", "2000"))
SAMPLING_STEPS = int(os.environ.get("SAMPLING_STEPS", "100"))
LIKELIHOOD_IMAGES = int(os.environ.get("LIKELIHOOD_IMAGES", "256"))
REFERENCE_IMAGES = os.environ.get("REFERENCE_IMAGES", "60000")
PROGRAM = os.environ.get("PROGRAM", ".build/release/ddpm-mpi")

# What is predicted, the loss, the variance (Ho et al. 2020, table 2), and what our configuration calls it. The paper's
# unweighted loss of the mean was unstable; it is there too.
OBJECTIVES = {
    "μ̃, L, learned Σ": {"prediction": "mean", "loss": "variational", "variance": "learned"},
    "μ̃, L, fixed Σ": {"prediction": "mean", "loss": "variational", "variance": "small"},
    "μ̃, squared error of the mean": {"prediction": "mean", "loss": "simple", "variance": "small"},
    "ε, L, learned Σ": {"prediction": "noise", "loss": "variational", "variance": "learned"},
    "ε, L, fixed Σ": {"prediction": "noise", "loss": "variational", "variance": "small"},
    "ε, L_simple": {"prediction": "noise", "loss": "simple", "variance": "small"},
}

# Song et al. 2021, table 2: likelihood and images by the probability-flow equation, for all three.
PROCESSES = {
    "DDPM": OBJECTIVES["ε, L_simple"],
    "VP": {"process": "vp-sde", "loss": "score-matching"},
    "sub-VP": {"process": "sub-vp-sde", "loss": "score-matching"},
}
PROBABILITY_FLOW = ["--sampler", "ode-rk45", "--tolerance", "1e-3"]

# Of the ε, L_simple model; those that take two evaluations a step get half the steps.
SAMPLERS = {
    "ddpm": (["--sampler", "ddpm"], 1),
    "ddim, η = 0": (["--sampler", "ddim", "--eta", "0"], 1),
    "ddim, η = 1": (["--sampler", "ddim", "--eta", "1"], 1),
    "dpm-solver++": (["--sampler", "dpm-solver++"], 1),
    "ode-heun": (["--sampler", "ode-heun"], 2),
}
EVALUATIONS = [int(count) for count in os.environ.get("EVALUATIONS", "10 20 50 100").split()]


def trained(settings, seed):
    """The folder of a model, which is trained once."""
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


def measured(folder, name, command):
    """The figures of a command that prints JSON, once measured and then kept beside the run."""
    kept = folder / f"{name}.json"
    if not kept.exists():
        text = run([*command, "--checkpoint", str(folder), "--json"], subprocess.PIPE)
        json.loads(text)
        kept.write_text(text)
    return json.loads(kept.read_text())


def run(arguments, output):
    print("  ddpm-mpi " + " ".join(arguments), file=sys.stderr, flush=True)
    result = subprocess.run(
        ["scripts/mpirun.sh", RANKS, PROGRAM, *arguments], stdout=output, text=True, check=True)
    return result.stdout


def quality(folder, name="quality", options=()):
    return measured(folder, name, [
        "evaluate", "--count", str(IMAGES), "--measures", "fid,is", "--split", "training", "--reference-count",
        REFERENCE_IMAGES, "--seed", "1", *options])


def spread(values, places):
    mean = f"{statistics.mean(values):.{places}f}"
    return mean + (f" ± {statistics.stdev(values):.{places}f}" if len(values) > 1 else "")


def objectives():
    print("| predicted, loss | FID | IS |\n|---|---|---|", flush=True)
    for row, settings in OBJECTIVES.items():
        figures = [quality(trained(settings, seed), options=["--steps", str(SAMPLING_STEPS)]) for seed in SEEDS]
        print(f"| {row} | {spread([f['fid'] for f in figures], 2)} | "
              f"{spread([f['inception_score'] for f in figures], 2)} |", flush=True)


def processes():
    print("| process | NLL, bits per dimension | FID |\n|---|---|---|", flush=True)
    for row, settings in PROCESSES.items():
        bits, figures = [], []
        for seed in SEEDS:
            folder = trained(settings, seed)
            bits.append(measured(folder, "likelihood", [
                "likelihood", "--method", "ode", "--count", str(LIKELIHOOD_IMAGES)])["bits_per_dimension"])
            figures.append(quality(folder, "flow-quality", PROBABILITY_FLOW)["fid"])
        print(f"| {row} | {spread(bits, 3)} | {spread(figures, 2)} |", flush=True)


def samplers():
    headings = " | ".join(str(count) for count in EVALUATIONS)
    print(f"| FID after evaluations | {headings} |\n|---|" + "---|" * len(EVALUATIONS), flush=True)
    folders = [trained(OBJECTIVES["ε, L_simple"], seed) for seed in SEEDS]
    for row, (options, cost) in SAMPLERS.items():
        cells = []
        for count in EVALUATIONS:
            name = "quality-" + "".join(c if c.isalnum() else "-" for c in row) + f"-{count}"
            steps = ["--steps", str(count // cost)]
            cells.append(spread([quality(folder, name, [*options, *steps])["fid"] for folder in folders], 2))
        print(f"| {row} | " + " | ".join(cells) + " |", flush=True)


def main():
    known = {"objectives": objectives, "processes": processes, "samplers": samplers}
    unknown = [name for name in TABLES if name not in known]
    if unknown:
        sys.exit(f"TABLES: there is no table {unknown[0]}; they are {', '.join(known)}")
    OUTPUT.mkdir(parents=True, exist_ok=True)
    print(f"Fashion-MNIST, quickstart's network, {STEPS} steps of 32 images, {len(SEEDS)} seeds (± is their standard "
          f"deviation), {IMAGES} images for each FID and IS, on the features of fashion-mnist-classifier.")
    for name in TABLES:
        print(f"\n{name}\n")
        known[name]()


if __name__ == "__main__":
    main()
