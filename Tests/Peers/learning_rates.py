"""Learning rates of every step beside diffusers' (`diffusers.optimization`), and beside EDM2's formula.

    python learning_rates.py PEER_PROGRAM
"""
import json
import math
import subprocess
import sys

import torch
from diffusers.optimization import get_scheduler

RATE, STEPS = 3e-4, 200
# Both compute in double precision.
TOLERANCE = 1e-12


def ours(warmup):
    text = subprocess.run(
        [sys.argv[1], "learning-rates", "--rate", str(RATE), "--warmup", str(warmup), "--steps", str(STEPS)],
        capture_output=True, text=True, check=True).stdout
    return json.loads(text)


def theirs(name, warmup):
    optimiser = torch.optim.SGD([torch.zeros(1)], RATE)
    scheduler = get_scheduler(name, optimiser, num_warmup_steps=warmup, num_training_steps=STEPS)
    rates = []
    for _ in range(STEPS):
        rates.append(scheduler.get_last_lr()[0])
        optimiser.step()
        scheduler.step()
    return rates


def edm2(warmup):
    """`learning_rate_schedule` of EDM2's code in batches, with ref_batches at the end of the warm-up."""
    return [RATE / math.sqrt(max(done / max(warmup, 1), 1)) for done in range(STEPS)]


for warmup in (0, 20):
    rates = ours(warmup)
    expected = {
        "constant": theirs("constant", 0), "cosine": theirs("cosine", warmup), "linear": theirs("linear", warmup),
        "inverse-sqrt": edm2(warmup),
    }
    assert set(rates) == set(expected), set(rates)
    for name, values in rates.items():
        # Their warm-up is one step behind ours, which is that of DDPM's code.
        pairs = list(zip(values, expected[name], strict=True))[warmup:]
        error = max(abs(a - b) for a, b in pairs) / RATE
        print(f"{name}, {warmup} steps of warm-up: error {error:.1e}, tolerance {TOLERANCE}")
        assert error <= TOLERANCE, name
        assert all(abs(value - RATE * step / warmup) < RATE * TOLERANCE
                   for step, value in enumerate(values[:warmup], 1)), name
