"""Measures training over several hosts with a slow network, and prints the table.

Run by scripts/measure/scaling.sh, which describes the environment variables.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

PROGRAM = os.environ.get("PROGRAM", ".build/release/ddpm-mpi")
PRESET = os.environ.get("PRESET", "cifar10")
HOSTS = [int(count) for count in os.environ.get("HOSTS", "2 4").split()]
RATE = os.environ.get("RATE", "1gbit")
IMAGES = int(os.environ.get("IMAGES", "16"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))
STEPS = os.environ.get("STEPS", "3")


def run(command, environment=None):
    """Runs a command whose last line of output is JSON, and returns that."""
    print("  " + " ".join(command), file=sys.stderr)
    result = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=True, env={**os.environ, **(environment or {})})
    return json.loads(result.stdout.strip().splitlines()[-1])


def on_hosts(hosts, rate=RATE):
    return ["scripts/measure/on-hosts.sh", "--hosts", str(hosts)] + (["--rate", rate] if rate else [])


def ours(hosts, *arguments, rate=RATE):
    return run(on_hosts(hosts, rate) + [
        PROGRAM, "benchmark", "--preset", PRESET, "--batch", str(hosts * IMAGES), "--micro-batch", str(IMAGES),
        "--steps", STEPS, "--json", *arguments])


def peer(hosts):
    with tempfile.TemporaryDirectory() as folder:
        return run(
            on_hosts(hosts) + [
                sys.executable, "scripts/measure/pytorch-benchmark.py", "train", "--preset", PRESET, "--batch",
                str(hosts * IMAGES), "--steps", STEPS, "--warm-up", "1", "--meet-at", f"{folder}/meeting"],
            {"GLOO_SOCKET_IFNAME": "eth0"})


def planned_seconds(hosts, rate):
    """Seconds per step according to `ddpm-mpi plan`. Hosts that share cores are slower accordingly."""
    speed = min(1, len(os.sched_getaffinity(0)) / hosts)
    gigabits = float(rate.removesuffix("gbit"))
    result = run([
        PROGRAM, "plan", "--preset", PRESET, "--nodes", str(hosts), "--cores-per-node", "1", "--network-gbps",
        str(gigabits), "--core-speed", str(speed), "--set", f"training.batch={hosts * IMAGES}",
        "--set", f"training.micro_batch={IMAGES}", "--json"])
    return result["rows"][-1]["seconds_per_step"]


def median_seconds(results):
    """The median over the rounds of the median seconds per step."""
    return statistics.median(statistics.median(result["seconds_per_step"]) for result in results)


def exchange_seconds(results):
    """The seconds per step in which a rank computes nothing, since it waits for gradients or parameters."""

    def of(result):
        return sum(
            row["seconds"] for row in result["profile"]
            if row["operation"] in ("gradient exchange", "parameter exchange"))
    return statistics.median(of(result) for result in results)


def has_torch():
    try:
        import diffusers  # noqa: F401
        import torch  # noqa: F401
    except ImportError:
        return False
    return True


def main():
    sides = {
        "overlap": lambda hosts: ours(hosts, "--profile"),
        "no overlap": lambda hosts: ours(hosts, "--profile", "--set", "training.overlap=false"),
        "bfloat16": lambda hosts: ours(hosts, "--set", "training.wire=bfloat16"),
        "fast network": lambda hosts: ours(hosts, rate=None),
    }
    if has_torch():
        sides["PyTorch DDP"] = peer
    else:
        print("There is no torch or no diffusers for this Python, so PyTorch is left out.", file=sys.stderr)
    print(f"{PRESET}, {IMAGES} images per rank and step, one rank and core per host, {RATE} between hosts; "
          f"{len(os.sched_getaffinity(0))} cores in all; seconds per step, medians of {ROUNDS} rounds\n")
    headings = ["hosts", *sides, "plan"]
    print("| " + " | ".join(headings) + " |\n" + "|---" * len(headings) + "|")
    notes = []
    for hosts in HOSTS:
        results = {name: [] for name in sides}
        plans = []
        for number in range(ROUNDS):
            # The order alternates, so that a machine that becomes slower or faster favours no side.
            for name in list(sides)[::1 if number % 2 == 0 else -1]:
                results[name].append(sides[name](hosts))
            plans.append(planned_seconds(hosts, RATE))
        times = {name: median_seconds(results[name]) for name in sides}
        plan = statistics.median(plans)
        print(f"| {hosts} | " + " | ".join(f"{times[name]:.2f}" for name in sides) + f" | {plan:.2f} |", flush=True)
        exchanged, waited = exchange_seconds(results["no overlap"]), exchange_seconds(results["overlap"])
        cost = times["no overlap"] - times["fast network"]
        notes.append(
            f"{hosts} hosts: without overlap {exchanged:.2f} s of a step go to exchange, with it {waited:.2f} s are "
            f"waited for. Of the {cost:.2f} s that the slow network costs without overlap, overlap hides "
            f"{100 * (times['no overlap'] - times['overlap']) / cost:.0f}%. The plan is off by "
            f"{100 * (plan / times['overlap'] - 1):+.0f}%.")
        if "PyTorch DDP" in times:
            notes[-1] += f" PyTorch takes {times['PyTorch DDP'] / times['overlap']:.2f} times as long."
    print("\n" + "\n".join(notes))


if __name__ == "__main__":
    os.chdir(Path(__file__).resolve().parents[2])
    main()
