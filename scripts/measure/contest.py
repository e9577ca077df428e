"""Runs commands that do the same job in different ways, in turn, and keeps their results.

Imported by against-pytorch.py, inception.py and ranks.py.
"""

import datetime
import json
import shlex
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Side:
    """One way to do a job: a command whose last line of output is JSON."""
    name: str
    command: list = field(hash=False)
    is_ours: bool
    precision: str = "fp32"
    # Run in the first round only, since compiling takes minutes.
    once: bool = False
    # If not 0, the number of launches per round, which are timed from outside; the first is a warm-up.
    launches: int = 0


class Contest:
    """A job, the sides that do it, and the results of their runs."""

    def __init__(self, name, sides):
        self.name, self.sides = name, sides
        self.runs = {side: [] for side in sides}
        self.failures = set()

    def run_all(self, rounds, report):
        for number in range(1, rounds + 1):
            # The order alternates, so that a machine that becomes slower or faster favours no side.
            for side in self.sides if number % 2 else reversed(self.sides):
                if side not in self.failures and not (side.once and number > 1):
                    self.run(side, number, f"{self.name}, round {number} of {rounds}: {side.name}", report)

    def run(self, side, number, label, report):
        print(label, end=" … ", file=sys.stderr, flush=True)
        wall_seconds = []
        for _ in range(max(side.launches, 1)):
            start = time.perf_counter()
            process = subprocess.run(side.command, capture_output=True, text=True)
            wall_seconds.append(time.perf_counter() - start)
            if process.returncode != 0:
                break
        report.log(label, side.command, process)
        if process.returncode != 0:
            print(f"failed with {process.returncode}", file=sys.stderr)
            if side.is_ours:
                sys.exit(f"{shlex.join(side.command)} failed:\n{process.stderr}")
            self.failures.add(side)
            return
        result = json.loads(process.stdout.strip().splitlines()[-1])
        if side.launches:
            result["launch_seconds"] = [round(value, 4) for value in wall_seconds[1:]]
            result["launch_seconds_median"] = statistics.median(wall_seconds[1:])
        else:
            result["step_seconds_median"] = statistics.median(result["seconds_per_step"])
        report.record(contest=self.name, side=side, round=number, result=result)
        self.runs[side].append(result)
        shown = ("images_per_second_median", "launch_seconds_median", "peak_resident_gb")
        print(", ".join(f"{key} {result[key]:.3g}" for key in shown if key in result), file=sys.stderr)

    def median(self, side, key):
        return statistics.median(run[key] for run in self.runs[side])

    def best(self, key, largest, **properties):
        """The side with the largest or smallest median among those with these properties; None if all failed."""
        sides = [side for side in self.sides
                 if self.runs[side] and all(getattr(side, name) == value for name, value in properties.items())]
        return (max if largest else min)(sides, key=lambda side: self.median(side, key), default=None)


class Report:
    """The folder in which results are kept."""

    def __init__(self):
        stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H-%M-%SZ")
        self.folder = Path(".build/benchmarks") / stamp
        self.folder.mkdir(parents=True)

    def append(self, name, text):
        with open(self.folder / name, "a") as file:
            file.write(text)

    def record(self, contest, side, round, result):
        line = {"contest": contest, "ours": side.is_ours, "variant": side.name, "round": round,
                "command": shlex.join(side.command)} | result
        self.append("results.jsonl", json.dumps(line) + "\n")

    def log(self, label, command, process):
        self.append("log.txt", f"--- {label}\n$ {shlex.join(command)}\n{process.stderr}\n")
