"""Plots the power of fields at each wavenumber, in an SVG: of the truth, of single forecasts, of the members of ensembles.

    python3 scripts/document/plot-spectra.py out.svg test.h5 "members of the ensemble=ensemble.nc" "regression=single.nc"

test.h5 is a file of packed fields, whose first fields are the truth. The other files are those of `ddpm-mpi sample`. A
shell |k| = 1, 2, … has the mean square of its coefficients in the orthonormal Fourier transform, as in `ddpm-mpi
evaluate`. Needs numpy and h5py. scripts/document/fields.sh runs this.
"""

import argparse
from html import escape
from pathlib import Path

import h5py
import numpy as np

WIDTH, HEIGHT = 560, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 12, 44
# Told apart without colours by their dashes.
STYLES = [("#000000", ""), ("#1f77b4", "7 3"), ("#d62728", "2 3"), ("#2ca02c", "9 3 2 3"), ("#7f7f7f", "4 4")]


def power_spectrum(fields):
    """The power of each shell up to half of the shorter side, for fields [..., H, W]."""
    fields = fields.reshape(-1, *fields.shape[-2:])
    height, width = fields.shape[1:]
    power = (np.abs(np.fft.fft2(fields, norm="ortho")) ** 2).mean(0)
    k = np.hypot(np.fft.fftfreq(height, 1 / height)[:, None], np.fft.fftfreq(width, 1 / width))
    shells = np.rint(k).astype(int).ravel()
    means = np.bincount(shells, power.ravel()) / np.bincount(shells)
    return means[: min(height, width) // 2 + 1]


def plot(spectra, unit):
    """The lines of an SVG of named spectra, on logarithmic axes."""
    last = len(next(iter(spectra.values()))) - 1
    largest = max(power[1:].max() for power in spectra.values())
    top = np.ceil(np.log10(largest))
    bottom = max(np.floor(np.log10(min(power[1:].min() for power in spectra.values()))), top - 8)

    def x(k):
        return LEFT + (WIDTH - LEFT - RIGHT) * np.log(k) / np.log(last)

    def y(power):
        return TOP + (HEIGHT - TOP - BOTTOM) * (top - np.log10(max(power, 10**bottom))) / (top - bottom)

    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">'
    yield f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>'
    for exponent in range(int(bottom), int(top) + 1):
        height = y(10.0**exponent)
        yield f'<path d="M{LEFT} {height:.1f}H{WIDTH - RIGHT}" stroke="#dddddd"/>'
        yield (f'<text x="{LEFT - 6}" y="{height + 4:.1f}" text-anchor="end">10<tspan dy="-4" font-size="9">'
               f'{str(exponent).replace("-", "−")}</tspan></text>')
    for k in [2**power for power in range(int(np.log2(last)) + 1)]:
        yield f'<path d="M{x(k):.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#dddddd"/>'
        yield f'<text x="{x(k):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{k}</text>'
    yield f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">wavenumber</text>'
    middle = (TOP + HEIGHT - BOTTOM) / 2
    yield (f'<text transform="translate(14 {middle}) rotate(-90)" text-anchor="middle">power{escape(unit)}</text>')
    for number, (name, power) in enumerate(spectra.items()):
        colour, dashes = STYLES[number % len(STYLES)]
        style = f'fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}"'
        points = " ".join(f"{x(k):.1f},{y(power[k]):.1f}" for k in range(1, last + 1))
        yield f'<polyline points="{points}" {style}/>'
        height = HEIGHT - BOTTOM - 12 - 18 * (len(spectra) - 1 - number)
        yield f'<path d="M{LEFT + 12} {height}h32" {style}/>'
        yield f'<text x="{LEFT + 52}" y="{height + 4}">{escape(name)}</text>'
    yield "</svg>"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("truth")
    parser.add_argument("forecasts", nargs="+", metavar="name=file")
    parser.add_argument("--variable", default="vorticity")
    options = parser.parse_args()
    forecasts = {}
    for forecast in options.forecasts:
        name, separator, path = forecast.partition("=")
        if not separator:
            parser.error(f"{forecast} is not of the form name=file")
        with h5py.File(path) as file:
            forecasts[name] = file[options.variable][:].astype(np.float64)
    with h5py.File(options.truth) as file:
        attributes = {
            name: [text.decode() if isinstance(text, bytes) else str(text) for text in file["fields"].attrs[name]]
            for name in ["names", "units"]}
        channel = attributes["names"].index(options.variable)
        unit = attributes["units"][channel]
        count = min(len(file["fields"]), *map(len, forecasts.values()))
        truth = file["fields"][:count, ..., channel].astype(np.float64)
    spectra = {"truth": power_spectrum(truth)}
    spectra |= {name: power_spectrum(fields[:count]) for name, fields in forecasts.items()}
    options.output.write_text("\n".join(plot(spectra, f", ({unit})²" if unit else "")) + "\n")


if __name__ == "__main__":
    main()
