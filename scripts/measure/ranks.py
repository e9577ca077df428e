"""Measures on one machine what more ranks do not make faster, and prints the table.

Run by scripts/measure/ranks.sh, which describes the environment variables.
"""

import json
import os
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from contest import Contest, Report, Side


def refuse(problem):
    print(problem, file=sys.stderr)
    sys.exit(2)


def count_from_environment(name, default):
    text = os.environ.get(name, default)
    if not text.isdecimal() or int(text) < 1:
        refuse(f"{name} is '{text}'; it must be a whole number of at least 1, such as {default}.")
    return int(text)


def ranks_from_environment():
    text = os.environ.get("RANKS", "2 8 32 64 128")
    counts = [int(word) if word.isdecimal() else 0 for word in text.split()]
    if not counts or counts != sorted(set(counts)) or counts[0] < 1:
        refuse(f"RANKS is '{text}'; it must be whole numbers in ascending order, such as 2 8 32.")
    return counts


RANKS = ranks_from_environment()
BATCH = count_from_environment("BATCH", str(RANKS[-1]))
PRESET = os.environ.get("PRESET", "shapes")
SETTINGS = os.environ.get("SETTINGS", "model.multipliers=[1,2,2] model.attention_resolutions=[8]").split()
ROUNDS = count_from_environment("ROUNDS", "3")
STEPS = count_from_environment("STEPS", "3")
SAMPLING_STEPS = count_from_environment("SAMPLING_STEPS", "2")
FOLDER = os.environ.get("FOLDER", ".build/benchmarks")
PROGRAM = os.environ.get("PROGRAM", ".build/release/ddpm-mpi")

# The figures of a round, and what the table calls them.
ROWS = {
    "launch": "launch and end of a job",
    "setup": "setup of `benchmark`",
    "start": "`train`, from launch to its first step",
    "step": "step",
    "save": "save",
    "load": "load",
    "sheet": "sheet of samples",
    "sampling_start": "`sample`, from launch to its first image",
}


class Output:
    """What a command printed, and when."""

    def __init__(self, command, report):
        """Runs the command. Ends this script if the command fails."""
        self.command = command
        # Each line with the seconds from the launch until it arrived.
        self.lines = []
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for line in process.stdout:
            self.lines.append((time.perf_counter() - start, line.rstrip("\n")))
        process.wait()
        self.seconds = time.perf_counter() - start
        self.text = "\n".join(line for _, line in self.lines)
        report.log(f"{self.seconds:.2f} s", command, subprocess.CompletedProcess(command, 0, stderr=self.text))
        if process.returncode != 0:
            sys.exit(f"{shlex.join(command)} ended with {process.returncode}:\n{self.text}")

    def moments(self, pattern, count):
        """When the lines that begin with the pattern arrived. Ends this script unless there are `count`."""
        moments = [seconds for seconds, line in self.lines if re.match(pattern, line)]
        if len(moments) != count:
            sys.exit(f"{shlex.join(self.command)} has printed {len(moments)} lines like '{pattern}', not {count}:\n"
                     f"{self.text}")
        return moments

    def result(self):
        """The line of JSON among the lines."""
        return next(json.loads(line) for _, line in self.lines if line.startswith("{"))


def with_settings(settings):
    return [argument for setting in settings for argument in ("--set", setting)]


def benchmark(program, report, *arguments):
    return Output([*program, "benchmark", "--json", "--preset", PRESET, *with_settings(SETTINGS), "--batch", str(BATCH),
                   "--micro-batch", "1", *arguments], report)


def train(program, report, run, *arguments):
    settings = [
        *SETTINGS, f"training.batch={BATCH}", "training.micro_batch=1", f"training.steps={STEPS}",
        "training.checkpoint_every=1", "training.sample_every=1", f"sampling.count={BATCH}",
        f"sampling.steps={SAMPLING_STEPS}",
        # Ranks that train meanwhile would take the cores from those that save.
        "training.save_beside=false", "training.tensorboard=false"]
    return Output([*program, "train", "--preset", PRESET, "--output", str(run), *with_settings(settings), *arguments],
                  report)


def measure(program, report, folder):
    """The figures of a round, in seconds, and the number of parameters.

    program: the command that starts the program on some ranks.
    folder: empty; receives the run.
    """
    started = benchmark(program, report, "--job", "start")
    setup = started.result()["setup_seconds"]
    stepped = benchmark(program, report, "--steps", str(STEPS)).result()

    run = folder / "run"
    trained = train(program, report, run)
    saved, drew = trained.moments("Saved ", STEPS), trained.moments("Drew ", STEPS)
    journal = [json.loads(line) for line in (run / "journal.jsonl").read_text().splitlines()]

    # The program says that it cannot use this one when it goes on to load the one before.
    (run / "checkpoints/step-99999999.h5").touch()
    resumed = train(program, report, run, "--resume")
    load_start, = resumed.moments(".*; trying the previous one$", 1)
    load_end, = resumed.moments("Resuming from ", 1)

    checkpoint = run / f"checkpoints/step-{STEPS:08}.h5"
    sampled = Output([*program, "sample", "--checkpoint", str(checkpoint), "--count", str(BATCH), "--steps",
                      str(SAMPLING_STEPS), "--output", str(folder / "samples.h5")], report)
    return {
        "launch": started.seconds - setup,
        "setup": setup,
        "start": trained.moments("ddpm-mpi .*, run folder ", 1)[0],
        "step": statistics.median(stepped["seconds_per_step"]),
        "save": statistics.median(entry["seconds"] for entry in journal if entry["event"] == "checkpoint"),
        "load": load_end - load_start,
        # Nothing is between a save and the sheet after it.
        "sheet": statistics.median(end - start for start, end in zip(saved, drew)),
        "sampling_start": sampled.moments("Drawing ", 1)[0],
        "parameters": stepped["parameters"],
    }


class RankContest(Contest):
    """The same jobs on several numbers of ranks; a side's command starts the program on its ranks."""

    def __init__(self):
        super().__init__("ranks", [
            Side(str(ranks), ["scripts/mpirun.sh", str(ranks), PROGRAM], is_ours=True) for ranks in RANKS])

    def run(self, side, number, label, report):
        print(label, end=" … ", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
            figures = measure(side.command, report, Path(folder))
        report.record(contest=self.name, side=side, round=number, result=figures)
        self.runs[side].append(figures)
        print(", ".join(f"{key} {figures[key]:.3g}" for key in ROWS), file=sys.stderr)

    def table(self):
        headings = ["seconds, on ranks", *(side.name for side in self.sides),
                    f"{self.sides[-1].name} / {self.sides[0].name}"]
        lines = ["| " + " | ".join(headings) + " |", "|" + "---|" * len(headings)]
        for key, text in ROWS.items():
            values = [self.median(side, key) for side in self.sides]
            cells = [*map(rounded, values), f"{values[-1] / values[0]:.1f}"]
            lines.append(f"| {text} | " + " | ".join(cells) + " |")
        return "\n".join(lines)


def rounded(seconds):
    return f"{seconds:.1f}" if seconds >= 10 else f"{seconds:.2f}" if seconds >= 1 else f"{seconds:.3f}"


def main():
    if BATCH < RANKS[-1]:
        refuse(f"BATCH is {BATCH}, which leaves some of {RANKS[-1]} ranks without an image; it must be at least that.")
    if not os.access(PROGRAM, os.X_OK):
        sys.exit(f"There is no {PROGRAM}; build it with scripts/build.sh.")
    if "FOLDER" in os.environ and not os.path.isdir(FOLDER):
        refuse(f"FOLDER is '{FOLDER}', which is no folder.")
    cores = subprocess.run(
        ["scripts/shared/count-cores.sh"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    report = Report()
    contest = RankContest()
    contest.run_all(ROUNDS, report)
    parameters = contest.runs[contest.sides[0]][0]["parameters"]
    settings = f" with {', '.join(SETTINGS)}" if SETTINGS else ""
    rounds = f"medians of {ROUNDS} rounds" if ROUNDS > 1 else "one round"
    heading = (f"{PRESET}{settings}: {parameters:,} parameters; {BATCH} images per step, in micro-batches of 1, and "
               f"per sheet; {cores} cores; {rounds}")
    table = f"{heading}\n\n{contest.table()}"
    report.append("table.md", table + "\n")
    print(f"\n{table}\n\nThe single runs are in {report.folder}.")


if __name__ == "__main__":
    main()
