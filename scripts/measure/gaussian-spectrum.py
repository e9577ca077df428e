"""Compares the spectrum of drawn Gaussian fields with the exact one, in a table in Markdown.

    python3 scripts/measure/gaussian-spectrum.py evaluation.json

evaluation.json has the line of `ddpm-mpi evaluate --measures spectrum --json` for a model of `data.name=gaussian-field`.
An error within a few standard errors may be chance: that is what the fields drawn, finitely many, leave uncertain. Needs
numpy. scripts/measure/fields.sh runs this.
"""

import json
import sys
from pathlib import Path

import numpy as np

# Of Sources/Datasets/GaussianField.swift.
CUTOFF = 3
EXPONENT = 2


def exact_spectrum(size):
    """The mean power and the number of modes of each shell |k| = 0, 1, … size / 2, for fields of variance 1."""
    k = np.abs(np.fft.fftfreq(size, 1 / size))
    k = np.hypot(k[:, None], k)
    power = (1 + (k / CUTOFF) ** 2) ** -EXPONENT
    power /= power.mean()
    shells = np.rint(k).astype(int).ravel()
    modes = np.bincount(shells)
    return (np.bincount(shells, power.ravel()) / modes)[: size // 2 + 1], modes[: size // 2 + 1]


def main():
    if len(sys.argv) != 2:
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
        print("| wavenumber | exact power | drawn power | error | standard error |")
        print("|---|---|---|---|---|")
        for k in range(len(drawn)):
            powers = f"{exact[k]:.5g} | {drawn[k]:.5g}"
            print(f"| {k} | {powers} | {100 * errors[k]:+.2f}% | {100 * standard_errors[k]:.2f}% |")
        largest = int(np.abs(errors).argmax())
        print(f"\nThe largest error is {100 * abs(errors[largest]):.2f}%, at wavenumber {largest}.\n")


if __name__ == "__main__":
    main()
