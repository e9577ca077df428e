"""Makes vorticity fields of two-dimensional decaying turbulence, in a NetCDF-4 file for xarray and `ddpm-mpi pack`.

    python3 scripts/data/turbulence.py --output turbulence.nc
    python3 scripts/data/turbulence.py --output turbulence-test.nc --count 256 --runs 64 --seed 1

Solves ∂ω/∂t + u·∇ω = ν·∇²ω on the periodic square of side 2π, from a random initial flow for each run, by a
pseudo-spectral method: products are computed on a grid of 3/2 times as many points a side as the fields have, and
truncated to the fields' own wavenumbers, the 2/3 rule; viscosity is integrated exactly, and the rest by the classical
Runge-Kutta method. Every run gives the same number of fields, at the same times. The same arguments give the same file.
Needs numpy and h5py; takes about three minutes on two cores. docs/fields.md uses the fields; scripts/test/turbulence.sh
tests the solver.
"""

import argparse
import os
import sys
from multiprocessing import Pool
from pathlib import Path

import h5py
import numpy as np

SIDE = 2 * np.pi
VISCOSITY = 1.5e-3
INITIAL_ENERGY = 0.5
# k₀ of the initial energy spectrum.
PEAK_WAVENUMBER = 6
# By this time the random initial phases have given way to vortices and filaments.
FIRST_TIME = 2.0
# After that, the correlation of a field with the next one of its run is 0.1 to 0.2.
SPACING = 2.0


class Solver:
    """The vorticity equation for any number of flows at once, on `size` points a side, of whose wavenumbers two thirds
    are kept. Spectra are the first columns of numpy.fft.rfft2."""

    def __init__(self, size, viscosity=VISCOSITY, time_step=None):
        self.size = size
        # Half of the longest step that is stable, with velocities up to 3.
        self.time_step = time_step or 1.2 / size
        # The 2/3 rule: sums of two kept wavenumbers that leave the grid fall outside of what is kept.
        self.columns = (size + 2) // 3
        ky, kx = np.meshgrid(np.fft.fftfreq(size, 1 / size), np.arange(self.columns), indexing="ij")
        self.square = kx**2 + ky**2
        self.kept = 3 * np.abs(ky) < size
        inverse = self.kept / np.where(self.square == 0, 1, self.square)
        inverse[0, 0] = 0
        # u = ∂ψ/∂y and v = −∂ψ/∂x with −∇²ψ = ω.
        self.to_u, self.to_v = 1j * ky * inverse, -1j * kx * inverse
        self.cross, self.difference = self.kept * kx * ky, self.kept * (kx**2 - ky**2)
        self.half_decay = np.exp(-viscosity * self.square * self.time_step / 2)

    def transform(self, fields):
        return np.fft.fft(np.fft.rfft(fields)[..., : self.columns], axis=-2)

    def spectrum(self, vorticity):
        """The kept modes of fields [..., size, size]."""
        return self.kept * self.transform(vorticity)

    def field(self, spectrum):
        return np.fft.irfft(np.fft.ifft(spectrum, axis=-2), n=self.size)

    def coarser_field(self, spectrum):
        """The field on two thirds as many points a side, which have all kept wavenumbers."""
        size = 2 * self.size // 3
        spectrum = np.delete(spectrum, np.s_[size // 2 : self.size - size // 2], axis=-2)
        return np.fft.irfft(np.fft.ifft(spectrum, axis=-2), n=size) * (size / self.size) ** 2

    def velocity(self, spectrum):
        return self.field(self.to_u * spectrum), self.field(self.to_v * spectrum)

    def advection(self, spectrum):
        """−u·∇ω, as ∂²(u² − v²)/∂x∂y + (∂²/∂y² − ∂²/∂x²)uv, which takes one transform less."""
        u, v = self.velocity(spectrum)
        return self.difference * self.transform(u * v) - self.cross * self.transform(u * u - v * v)

    def step(self, spectrum):
        """A Runge-Kutta step of exp(ν·k²·t)·ω."""
        h, decay = self.time_step, self.half_decay
        first = self.advection(spectrum)
        second = self.advection(decay * (spectrum + h / 2 * first))
        third = self.advection(decay * spectrum + h / 2 * second)
        fourth = self.advection(decay * (decay * spectrum + h * third))
        return decay * (decay * (spectrum + h / 6 * first) + h / 3 * (second + third)) + h / 6 * fourth

    def advance(self, spectrum, time):
        for _ in range(round(time / self.time_step)):
            spectrum = self.step(spectrum)
        return spectrum

    def energy(self, spectrum):
        """Half the mean square of the velocity, of each flow."""
        u, v = self.velocity(spectrum)
        return (u * u + v * v).mean((-2, -1)) / 2

    def enstrophy(self, spectrum):
        """Half the mean square of the vorticity, of each flow."""
        return (self.field(spectrum) ** 2).mean((-2, -1)) / 2

    def random_flow(self, generator):
        """The spectrum of a flow with random phases, the energy spectrum E(k) ∝ k / (1 + (k/k₀)⁴) as in McWilliams, J.
        Fluid Mech. 146 (1984), and a given total energy."""
        k = np.sqrt(self.square)
        # A shell's energy is that of its modes, whose number grows as k; a mode's energy is |ω|²/2k².
        amplitude = k / np.sqrt(1 + (k / PEAK_WAVENUMBER) ** 4)
        spectrum = amplitude * self.spectrum(generator.standard_normal((self.size, self.size)))
        return spectrum * np.sqrt(INITIAL_ENERGY / self.energy(spectrum))


def simulate(arguments):
    """The fields [snapshots, size, size] of a run."""
    size, seed, run, snapshots = arguments
    solver = Solver(3 * size // 2)
    spectrum = solver.random_flow(np.random.default_rng([seed, run]))
    fields = np.empty((snapshots, size, size), np.float32)
    for snapshot in range(snapshots):
        spectrum = solver.advance(spectrum, SPACING if snapshot else FIRST_TIME)
        fields[snapshot] = solver.coarser_field(spectrum)
    if not np.isfinite(fields).all():
        sys.exit("a flow has become infinite; the time step is too long for this size")
    return fields


def write(path, results, runs, snapshots, size):
    """Writes the fields of each run, with coordinates as dimension scales."""
    partial = path.with_name(f".{path.name}.partial")
    count = runs * snapshots
    positions = SIDE * np.arange(size) / size
    times = FIRST_TIME + SPACING * np.arange(snapshots)
    coordinates = {
        "sample": (np.arange(count, dtype=np.int32), ["sample"], {"long_name": "number of the field"}),
        "y": (positions, ["y"], {"units": "m", "long_name": "y"}),
        "x": (positions, ["x"], {"units": "m", "long_name": "x"}),
        "run": (np.repeat(np.arange(runs, dtype=np.int32), snapshots), ["sample"], {"long_name": "number of the flow"}),
        "time": (np.tile(times, runs), ["sample"], {"units": "s", "long_name": "time since the flow began"}),
    }
    with h5py.File(partial, "w") as file:
        file.attrs["Conventions"] = "CF-1.8"
        file.attrs["title"] = "Two-dimensional decaying turbulence"
        vorticity = file.create_dataset("vorticity", (count, size, size), np.float32)
        vorticity.attrs.update(units="s-1", long_name="vorticity", coordinates="run time")
        for name, (values, dimensions, attributes) in coordinates.items():
            file[name] = values
            file[name].attrs.update(attributes)
            if dimensions == [name]:
                file[name].make_scale(name)
        dimensions = {name: dimensions for name, (_, dimensions, _) in coordinates.items() if dimensions != [name]}
        for name, names in {"vorticity": ["sample", "y", "x"], **dimensions}.items():
            for axis, dimension in enumerate(names):
                file[name].dims[axis].attach_scale(file[dimension])
        for run, fields in enumerate(results):
            vorticity[run * snapshots : (run + 1) * snapshots] = fields
            if sys.stderr.isatty():
                print(f"{run + 1} of {runs} flows", end="\r", file=sys.stderr, flush=True)
    partial.replace(path)
    print(f"{count} fields of {runs} flows, {size}x{size}, in {path}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=Path, required=True, help="the file to write")
    parser.add_argument("--count", type=int, default=2048, help="number of fields, of all runs (default: 2048)")
    parser.add_argument("--runs", type=int, default=512, help="number of independent flows (default: 512)")
    parser.add_argument("--size", type=int, default=64, help="points along each side, an even number (default: 64)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the initial flows (default: 0)")
    options = parser.parse_args()
    if options.runs < 1 or options.count < options.runs or options.count % options.runs:
        parser.error(f"--count is {options.count}; it must be a multiple of --runs, {options.runs}")
    if options.size < 16 or options.size % 2:
        parser.error(f"--size is {options.size}; it must be even and at least 16")
    if options.seed < 0:
        parser.error(f"--seed is {options.seed}; it must not be negative")
    snapshots = options.count // options.runs
    with Pool(min(len(os.sched_getaffinity(0)), options.runs)) as pool:
        results = pool.imap(simulate, [(options.size, options.seed, run, snapshots) for run in range(options.runs)])
        write(options.output, results, options.runs, snapshots, options.size)


if __name__ == "__main__":
    main()
