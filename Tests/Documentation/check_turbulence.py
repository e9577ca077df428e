"""Tests the solver of scripts/data/turbulence.py, and a file that it has written.

    python check_turbulence.py solver
    python check_turbulence.py file FILE COUNT RUNS SIZE

Prints a line for each test. Run by scripts/test/turbulence.sh.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts" / "data"))
import turbulence  # noqa: E402


def require(text, error, maximum):
    print(f"{text}: {error:.1e}, at most {maximum:.0e}")
    assert error <= maximum, text


def relative(values, expected):
    return float(np.max(np.abs(values - expected)) / np.max(np.abs(expected)))


def grid(size):
    positions = turbulence.SIDE * np.arange(size) / size
    return np.meshgrid(positions, positions, indexing="ij")


def random_flows(solver, count):
    return np.stack([solver.random_flow(np.random.default_rng([7, flow])) for flow in range(count)])


def test_exact_solutions():
    """Where all modes have one |k|, vorticity is a function of the stream function: nothing is advected, and it decays
    by viscosity alone."""
    y, x = grid(32)
    viscosity, time = 0.05, 2.0
    solver = turbulence.Solver(32, viscosity, 0.02)
    vortices = 2 * np.cos(x) * np.cos(y)
    result = solver.field(solver.advance(solver.spectrum(vortices), time))
    require("Taylor-Green vortices decay", relative(result, vortices * np.exp(-2 * viscosity * time)), 1e-12)
    # Products of their modes reach all wavenumbers, and cancel.
    waves = np.cos(3 * x + 4 * y) + 0.7 * np.sin(4 * x - 3 * y) + 1.3 * np.cos(5 * x + 0.4) - 0.5 * np.sin(5 * y)
    result = solver.field(solver.advance(solver.spectrum(waves), time))
    require("waves of one wavelength decay", relative(result, waves * np.exp(-25 * viscosity * time)), 1e-12)


def test_advection():
    """The truncated −u·∇ω, against derivatives and products on a grid so fine that nothing is aliased."""
    size, fine_size = 32, 96
    solver, fine = turbulence.Solver(size), turbulence.Solver(fine_size)
    spectrum = random_flows(solver, 1)[0]
    kept = size // 3
    padded = np.zeros((fine_size, fine.columns), complex)
    modes = np.ix_(np.r_[0 : kept + 1, -kept:0], np.arange(kept + 1))
    padded[modes] = spectrum[modes] * (fine_size / size) ** 2
    ky, kx = np.meshgrid(np.fft.fftfreq(fine_size, 1 / fine_size), np.arange(fine.columns), indexing="ij")
    u, v = fine.velocity(padded)
    curl = 1j * kx * fine.transform(v) - 1j * ky * fine.transform(u)
    require("the velocity's curl is the vorticity", relative(curl, padded), 1e-12)
    divergence = np.abs(kx * fine.transform(u) + ky * fine.transform(v)).max() / np.abs(padded).max()
    require("its divergence is zero", float(divergence), 1e-12)
    product = fine.transform(-u * fine.field(1j * kx * padded) - v * fine.field(1j * ky * padded))
    expected = product[modes] * (size / fine_size) ** 2
    require("advection has no aliases", relative(solver.advection(spectrum)[modes], expected), 1e-12)
    # Of 48 points a side every third is one of 32 in every other position.
    third = turbulence.Solver(48)
    spectrum = random_flows(third, 2)
    require("the coarser grid has the same field", relative(
        third.coarser_field(spectrum)[:, ::2, ::2], third.field(spectrum)[:, ::3, ::3]), 1e-12)


def test_invariants():
    """Without viscosity the truncated equation keeps energy and enstrophy, but for errors of the time step."""
    solver = turbulence.Solver(32, 0, 0.005)
    before = random_flows(solver, 4)
    after = solver.advance(before, 1.0)
    assert relative(after, before) > 0.1, "nothing has moved"
    require("energy without viscosity", relative(solver.energy(after), solver.energy(before)), 1e-6)
    require("enstrophy without viscosity", relative(solver.enstrophy(after), solver.enstrophy(before)), 1e-6)


def test_decay():
    """dE/dt = −2ν·Z, integrated by Simpson's rule; enstrophy never grows."""
    viscosity = 0.01
    solver = turbulence.Solver(32, viscosity, 0.01)
    spectrum = random_flows(solver, 4)
    energies, enstrophies = [solver.energy(spectrum)], [solver.enstrophy(spectrum)]
    for _ in range(100):
        spectrum = solver.step(spectrum)
        energies.append(solver.energy(spectrum))
        enstrophies.append(solver.enstrophy(spectrum))
    enstrophies = np.array(enstrophies)
    assert (np.diff(enstrophies, axis=0) < 0).all(), "enstrophy grows"
    weights = np.r_[1, np.tile([4, 2], 49), 4, 1][:, None] * 0.01 / 3
    lost = 2 * viscosity * (weights * enstrophies).sum(0)
    require("energy that viscosity takes", relative(energies[0] - energies[-1], lost), 1e-5)


def test_order():
    """Half the time step, a sixteenth of the error."""
    def result(time_step):
        solver = turbulence.Solver(32, 1e-3, time_step)
        return solver.advance(random_flows(solver, 1), 1.0)

    exact = result(0.0025)
    ratio = relative(result(0.04), exact) / relative(result(0.02), exact)
    print(f"half the time step: {ratio:.1f} times as exact, 12 to 20")
    assert 12 <= ratio <= 20
    solver = turbulence.Solver(96)
    twice = turbulence.Solver(96, time_step=solver.time_step / 2)
    flow = random_flows(solver, 2)
    require("the error of the usual time step", relative(twice.advance(flow, 1.0), solver.advance(flow, 1.0)), 1e-3)


def energy_spectrum(fields):
    """E(k) of fields [N, size, size], averaged over them."""
    size = fields.shape[-1]
    power = (np.abs(np.fft.fft2(fields.astype(np.float64))) ** 2).mean(0) / size**4
    square = sum(k**2 for k in np.meshgrid(*[np.fft.fftfreq(size, 1 / size)] * 2))
    shells = np.rint(np.sqrt(square)).astype(int)
    return np.bincount(shells.ravel(), (power / np.where(square == 0, 1, 2 * square)).ravel())


def test_statistics():
    """What turbulence looks like: a cascade of enstrophy, fields that are alike in no other way."""
    fields = np.stack([turbulence.simulate((64, 3, run, 2)) for run in range(8)])
    spectrum = energy_spectrum(fields[:, 0])
    shells = np.arange(8, 17)
    slope = np.polyfit(np.log(shells), np.log(spectrum[shells]), 1)[0]
    print(f"the spectrum falls as k^{slope:.2f}, between k^-3, Kraichnan's law, and k^-4.5")
    assert -4.5 <= slope <= -3
    require("energy at the largest wavenumber, relative to the peak", spectrum[31] / spectrum.max(), 1e-2)

    def correlation(a, b):
        return float(((a * b).mean((1, 2)) / np.sqrt((a * a).mean((1, 2)) * (b * b).mean((1, 2)))).mean())

    require("correlation of a field with the next of its run", abs(correlation(fields[:, 0], fields[:, 1])), 0.3)
    require("... with one of another run", abs(correlation(fields[:, 0], np.roll(fields[:, 0], 1, 0))), 0.2)
    require("mean vorticity", float(np.abs(fields.mean((2, 3))).max()), 1e-6)


def check_file(path, count, runs, size):
    """What xarray says of a file."""
    import xarray

    with xarray.open_dataset(path) as file:
        vorticity = file["vorticity"]
        assert vorticity.dims == ("sample", "y", "x") and vorticity.shape == (count, size, size), vorticity
        assert vorticity.dtype == np.float32 and vorticity.attrs["units"] == "s-1"
        assert vorticity.attrs["long_name"] == "vorticity"
        assert set(file.coords) == {"sample", "y", "x", "run", "time"}, file.coords
        np.testing.assert_allclose(file["x"], turbulence.SIDE * np.arange(size) / size)
        snapshots = count // runs
        assert (file["run"].values == np.repeat(np.arange(runs), snapshots)).all()
        # A field is that of its run alone.
        assert (vorticity[-snapshots:].values == turbulence.simulate((size, 0, runs - 1, snapshots))).all()
    print(f"{path}: {count} fields")


def main():
    if sys.argv[1:] == ["solver"]:
        for test in (test_exact_solutions, test_advection, test_invariants, test_decay, test_order, test_statistics):
            test()
    else:
        check_file(sys.argv[2], *(int(number) for number in sys.argv[3:]))


if __name__ == "__main__":
    main()
