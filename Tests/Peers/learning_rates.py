"""Compares the learning rates of every step with those of diffusers (`diffusers.optimization`) and of EDM2's formula.

    python learning_rates.py PEER_PROGRAM

PEER_PROGRAM is .build/release/peer-program; scripts/test/peers/schedules.sh runs this. Needs torch and diffusers. Fails
if an error exceeds the tolerance.
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


def our_rates(program, warmup):
    text = subprocess.run(
        [program, "learning-rates", "--rate", str(RATE), "--warmup", str(warmup), "--steps", str(STEPS)],
        capture_output=True, text=True, check=True).stdout
    return json.loads(text)


def diffusers_rates(name, warmup):
    optimiser = torch.optim.SGD([torch.zeros(1)], RATE)
    scheduler = get_scheduler(name, optimiser, num_warmup_steps=warmup, num_training_steps=STEPS)
    rates = []
    for _ in range(STEPS):
        rates.append(scheduler.get_last_lr()[0])
        optimiser.step()
        scheduler.step()
    return rates


def edm2_rates(warmup):
    """`learning_rate_schedule` of EDM2's code in batches, with ref_batches at the end of the warm-up."""
    return [RATE / math.sqrt(max(step / max(warmup, 1), 1)) for step in range(STEPS)]


def main():
    program = sys.argv[1]
    for warmup in (0, 20):
        rates = our_rates(program, warmup)
        expected = {
            "constant": diffusers_rates("constant", 0), "cosine": diffusers_rates("cosine", warmup),
            "linear": diffusers_rates("linear", warmup), "inverse-sqrt": edm2_rates(warmup),
        }
        assert set(rates) == set(expected), set(rates)
        for name, values in rates.items():
            # Ours follows DDPM's code in the warm-up, where diffusers is one step behind.
            pairs = list(zip(values, expected[name], strict=True))[warmup:]
            error = max(abs(a - b) for a, b in pairs) / RATE
            print(f"{name}, {warmup} steps of warm-up: error {error:.1e}, tolerance {TOLERANCE}")
            assert error <= TOLERANCE, name
            assert all(abs(value - RATE * step / warmup) < RATE * TOLERANCE
                       for step, value in enumerate(values[:warmup], 1)), name


if __name__ == "__main__":
    main()
