"""Compares the spectrum of drawn Gaussian fields with the exact one, in a table in Markdown.

    python3 scripts/measure/gaussian-spectrum.py evaluation.json STEPS

evaluation.json has the line of `ddpm-mpi evaluate --measures spectrum --steps STEPS --json` for a model of
`data.name=gaussian-field`. Part of an error is the sampler's: fields drawn with the exact denoiser have it too. An error
within a few standard errors may be chance: that is what the fields drawn, finitely many, leave uncertain. Needs numpy.
scripts/measure/fields.sh runs this.
"""

import json
import sys
from pathlib import Path

import numpy as np

# Of Sources/Datasets/GaussianField.swift.
CUTOFF = 3
EXPONENT = 2

# Of diffusion.sigma_min, diffusion.sigma_max and diffusion.rho, for the process of EDM.
SMALLEST_NOISE = 0.002
LARGEST_NOISE = 80
RHO = 7


def exact_spectrum(size):
    """The mean power and the number of modes of each shell |k| = 0, 1, … size / 2, for fields of variance 1."""
    k = np.abs(np.fft.fftfreq(size, 1 / size))
    k = np.hypot(k[:, None], k)
    power = (1 + (k / CUTOFF) ** 2) ** -EXPONENT
    power /= power.mean()
    shells = np.rint(k).astype(int).ravel()
    modes = np.bincount(shells)
    return (np.bincount(shells, power.ravel()) / modes)[: size // 2 + 1], modes[: size // 2 + 1]


def error_of_steps(power, steps):
    """The relative error of the power that Heun's method (Karras et al. 2022, algorithm 1) gives modes of this power with
    the exact denoiser, whose values are noisy ones times power / (power + σ²)."""
    ends = np.array([LARGEST_NOISE, SMALLEST_NOISE]) ** (1 / RHO)
    levels = np.append(np.linspace(*ends, steps) ** RHO, 0)
    value = np.full(len(power), float(LARGEST_NOISE))
    for noise, following in zip(levels, levels[1:]):
        slope = value * noise / (power + noise**2)
        moved = value + (following - noise) * slope
        if following > 0:
            slope = (slope + moved * following / (power + following**2)) / 2
            moved = value + (following - noise) * slope
        value = moved
    return value**2 / power - 1


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    result = json.loads(Path(sys.argv[1]).read_text())
    for variable in result["variables"]:
        spectrum = variable["spectrum"]
        exact, modes = exact_spectrum(2 * (len(spectrum["drawn"]) - 1))
        assert list(modes) == spectrum["mode_counts"], "these are other shells"
        drawn = np.array(spectrum["drawn"])
        errors = drawn / exact - 1
        standard_errors = np.sqrt(2 / (modes * result["count"]))
        print(f"{variable['name']}, {result['count']} drawn fields\n")
        of_steps = error_of_steps(exact, int(sys.argv[2]))
        print("| wavenumber | exact power | drawn power | error | of the sampler's steps | standard error |")
        print("|---|---|---|---|---|---|")
        for k in range(len(drawn)):
            powers = f"{exact[k]:.5g} | {drawn[k]:.5g}"
            share = f"{100 * of_steps[k]:+.2f}%"
            print(f"| {k} | {powers} | {100 * errors[k]:+.2f}% | {share} | {100 * standard_errors[k]:.2f}% |")
        largest = int(np.abs(errors).argmax())
        print(f"\nThe largest error is {100 * abs(errors[largest]):.2f}%, at wavenumber {largest}.\n")


if __name__ == "__main__":
    main()
