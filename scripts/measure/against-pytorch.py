"""Runs this program and PyTorch in turn, and prints the table of the goals.

Run by scripts/measure/against-pytorch.sh, which describes the arguments and environment variables.
"""

import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from contest import Contest, Report, Side


def count_from_environment(name, default):
    text = os.environ.get(name, default)
    if not text.isdecimal() or int(text) < 1:
        sys.exit(f"{name}={text} is no number of at least 1; the default is {default}.")
    return int(text)


ROUNDS = count_from_environment("ROUNDS", "3")
STEPS = count_from_environment("STEPS", "5")
COMPILES = os.environ.get("COMPILE", "1") != "0"
PROGRAM = os.environ.get("PROGRAM", ".build/release/ddpm-mpi")
PEER = "scripts/measure/pytorch-benchmark.py"
VARIANTS = {"eager": [], "channels-last": ["--channels-last"], "compiled": ["--compile"]}


# The sides


def layout_name(ranks, threads):
    return f"{ranks} rank{'s' * (ranks != 1)} x {threads} thread{'s' * (threads != 1)}"


def ours(ranks, threads, *arguments, name=None, steps=True, launches=0):
    program = [PROGRAM, "benchmark", "--json", "--threads", str(threads), *arguments]
    if steps:
        program += ["--steps", str(STEPS)]
    if ranks > 1:
        program = ["env", f"THREADS={threads}", "scripts/mpirun.sh", str(ranks), *program]
    return Side(name or layout_name(ranks, threads), program, is_ours=True, launches=launches)


def peers(python, *arguments, bf16=True):
    """PyTorch in each precision and variant."""
    sides = []
    for precision in ("fp32", "bf16") if bf16 else ("fp32",):
        for name, options in VARIANTS.items():
            if name == "compiled" and not COMPILES:
                continue
            command = [python, PEER, *arguments, "--steps", str(STEPS), *options]
            if precision == "bf16":
                command.append("--bf16")
            sides.append(Side(f"PyTorch {precision} {name}", command, is_ours=False, precision=precision,
                              once="--compile" in options))
    return sides


def speed_contest(name, job, preset, batch, layouts, python, cores):
    work = ["--preset", preset, "--batch", str(batch)]
    return Contest(name, [ours(*layout, "--job", job, *work) for layout in layouts]
                   + peers(python, job, *work, "--threads", str(cores)))


def make_contests(layouts, python, cores):
    cifar10 = ["--preset", "cifar10", "--batch", "32"]
    return {contest.name: contest for contest in (
        speed_contest("train-cifar10", "train", "cifar10", 32, layouts, python, cores),
        speed_contest("sample-cifar10", "sample", "cifar10", 32, layouts, python, cores),
        speed_contest("train-fashion-mnist", "train", "fashion-mnist", 64, layouts, python, cores),
        Contest("ranks", [ours(2, 1, *cifar10)]
                + peers(python, "train", *cifar10, "--ranks", "2", "--threads", "1", bf16=False)),
        Contest("start", [ours(*layout, "--job", "start", *cifar10, steps=False, launches=STEPS + 1)
                          for layout in layouts]
                + [Side("PyTorch imports, network", [python, PEER, "start", *cifar10, "--threads", str(cores)],
                        is_ours=False, launches=STEPS + 1)]),
        Contest("reduction", [ours(2, 1, *cifar10, "--reduction", method, name=f"{layout_name(2, 1)}, {method}")
                              for method in ("tree", "allreduce")]),
    )}


# The rows


@dataclass
class Row:
    text: str
    goal: str
    ours: float = None
    our_side: Side = None
    theirs: float = None
    their_side: Side = None

    def line(self):
        if self.their_side is None:
            return f"| {self.text} | {rounded(self.ours)} | {self.our_side.name} | failed | | | {self.goal} | |"
        ratio = self.ours / self.theirs
        limit = float(self.goal.split()[1])
        reached = ratio >= limit if self.goal.startswith("≥") else ratio <= limit
        return (f"| {self.text} | {rounded(self.ours)} | {self.our_side.name} | {rounded(self.theirs)} "
                f"| {self.their_side.name} | {ratio:.2f} | {self.goal} | {'yes' if reached else 'no'} |")


def rounded(value):
    """At least three digits."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def speed_rows(contest, text, goals):
    key = "images_per_second_median"
    mine = contest.best(key, largest=True, is_ours=True)
    for precision, goal in goals.items():
        other = contest.best(key, largest=True, is_ours=False, precision=precision)
        yield Row(f"{text}, images/s, vs {precision}", f"≥ {goal}", contest.median(mine, key), mine,
                  other and contest.median(other, key), other)


def memory_row(contest, text):
    """Our memory is that of the fastest layout, PyTorch's the minimum of its variants in single precision."""
    key = "peak_resident_gb"
    mine = contest.best("images_per_second_median", largest=True, is_ours=True)
    other = contest.best(key, largest=False, is_ours=False, precision="fp32")
    return Row(f"{text}, peak memory of all ranks, GiB", "≤ 0.5", contest.median(mine, key), mine,
               other and contest.median(other, key), other)


def start_row(contest):
    key = "launch_seconds_median"
    mine = contest.best(key, largest=False, is_ours=True)
    other = contest.best(key, largest=False, is_ours=False)
    return Row("cifar10, from launch to the first step, s", "≤ 0.2", contest.median(mine, key), mine,
               other and contest.median(other, key), other)


def reduction_row(contest):
    tree, plain = contest.sides
    key = "step_seconds_median"
    return Row("cifar10 training, batch 32, s per step: our tree vs our MPI_Allreduce", "≤ 1.05",
               contest.median(tree, key), tree, contest.median(plain, key), plain)


# For each row: the names of its contests, and a function from these to its lines of the table.
ROWS = {
    "train-cifar10": (["train-cifar10"], lambda train: speed_rows(
        train, "cifar10 training, batch 32", {"fp32": 3, "bf16": 1.5})),
    "sample-cifar10": (["sample-cifar10"], lambda sample: speed_rows(
        sample, "cifar10 sampling step, batch 32", {"fp32": 3, "bf16": 1.3})),
    "train-fashion-mnist": (["train-fashion-mnist"], lambda train: speed_rows(
        train, "fashion-mnist training, batch 64", {"fp32": 3, "bf16": 1.2})),
    "ranks": (["ranks"], lambda train: speed_rows(
        train, "cifar10 training, batch 32, 2 ranks x 1 thread each, PyTorch by DDP over gloo", {"fp32": 3})),
    "memory": (["train-cifar10", "sample-cifar10"], lambda train, sample: [
        memory_row(train, "cifar10 training, batch 32"), memory_row(sample, "cifar10 sampling, batch 32")]),
    "start": (["start"], lambda start: [start_row(start)]),
    "reduction": (["reduction"], lambda reduction: [reduction_row(reduction)]),
}


# The machine


def output(*command):
    process = subprocess.run(command, capture_output=True, text=True)
    if process.returncode != 0:
        sys.exit(f"{command[0]} failed with {process.returncode}, asked for what it is:\n{process.stderr}")
    return process.stdout.strip()


def find_python():
    """The Python of the variable PYTHON, or one that is installed with PyTorch if it does not exist yet."""
    if "PYTHON" in os.environ:
        return os.environ["PYTHON"]
    folder = Path(".build/pytorch")
    python = folder / "bin/python"
    # Created last, so that an interrupted installation is repeated.
    marker = folder / "installed"
    if not marker.exists():
        print(f"Setting up PyTorch in {folder} …", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "torch", "diffusers", "transformers"], check=True)
        marker.touch()
    return str(python)


def machine(python, cores):
    """The output of `ddpm-mpi doctor`, and lines that describe the machine and the versions of both sides."""
    doctor = output(PROGRAM, "doctor")
    facts = {line[:14].strip(): line[14:] for line in doctor.splitlines() if line[:14].strip()}
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    versions = output(python, "-c", "import diffusers, platform, torch\n"
                      "print(f'PyTorch {torch.__version__}, diffusers {diffusers.__version__}, '"
                      "f'Python {platform.python_version()}')")
    variables = [f"{name}={value}" for name, value in sorted(os.environ.items())
                 if name.startswith(("OPENBLAS_", "OMP_", "MKL_", "KMP_", "DNNL_", "ONEDNN_"))]
    rounds = f"{ROUNDS} rounds in turn" if ROUNDS > 1 else "one round"
    compiled = "torch.compile ran in the first round only" if COMPILES else "torch.compile was left out"
    return doctor, [
        f"Machine: {facts['processor'].split(', ')[0]}, {cores} cores, {platform.system()} {platform.release()}",
        f"ddpm-mpi {output(PROGRAM, '--version')} ({commit or 'no commit'}), {facts['built for'].split(', ')[-1]}, "
        f"{facts['MPI']}",
        f"{versions}, {cores} threads; ours computes in fp32",
        f"Medians of {STEPS} steps after warming up (ours one step, PyTorch three) or launches (after one), "
        f"then of {rounds}; {compiled}",
    ] + ([f"Environment: {', '.join(variables)}"] if variables else [])


def main():
    rows = sys.argv[1:] or list(ROWS)
    for row in rows:
        if row not in ROWS:
            print(f"There is no row {row}; the rows are {', '.join(ROWS)}.", file=sys.stderr)
            sys.exit(2)
    if not os.access(PROGRAM, os.X_OK):
        sys.exit(f"There is no {PROGRAM}; build it with scripts/build.sh.")
    python = find_python()
    cores = int(output("scripts/shared/count-cores.sh"))
    # Batches of 32 images have no work for more than 32 ranks.
    layouts = os.environ.get("LAYOUTS") or (f"{cores}x1 1x{cores}" if 1 < cores <= 32 else f"1x{cores}")
    layouts = [tuple(map(int, layout.split("x"))) for layout in layouts.split()]

    doctor, heading = machine(python, cores)
    report = Report()
    report.append("machine.txt", "\n".join([*heading, "", doctor, "", output("lscpu"), ""]))
    contests = make_contests(layouts, python, cores)
    needed = dict.fromkeys(name for row in rows for name in ROWS[row][0])
    for name in needed:
        contests[name].run_all(ROUNDS, report)

    lines = ["| what | ddpm-mpi | layout | the other | its variant | ratio | goal | reached |", "|" + "---|" * 8]
    for row in rows:
        names, make_rows = ROWS[row]
        lines += [line.line() for line in make_rows(*(contests[name] for name in names))]
    failures = [f"{name}: {side.name}" for name in needed for side in contests[name].failures]
    notes = [f"- {line}" for line in heading + [f"Failed, see log.txt: {failure}" for failure in failures]]
    table = "\n".join([*lines, "", *notes])
    report.append("table.md", table + "\n")
    print(f"\n{table}\n\nThe single runs are in {report.folder}.")


if __name__ == "__main__":
    main()
