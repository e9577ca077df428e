"""Compares ensembles and single forecasts of fine fields from coarse ones with the truth, in a table in Markdown.

    python3 scripts/measure/downscaling.py test.h5 "diffusion=ensemble.nc" "regression=forecast.nc"

test.h5 is a file of `ddpm-mpi pack --coarse`, whose field n is the truth of condition n in the other files, as `ddpm-mpi
sample --condition test.h5` writes them. Beside these stand interpolations of the coarse field, on periodic domains. The
CRPS of a single forecast is its mean absolute error; that of an ensemble is the one that `ddpm-mpi evaluate` computes.
Needs numpy and h5py. scripts/measure/fields.sh runs this.
"""

import argparse

import h5py
import numpy as np


def block_means(coarse, factor):
    """The coarse field itself."""
    return coarse.repeat(factor, -2).repeat(factor, -1)


def interpolated(coarse, rows, columns):
    """Σ rows·coarse·columnsᵀ, for fields [..., h, w]."""
    return rows @ coarse @ columns.T


def offsets(size, factor):
    """The distances of each fine point from the centres of all blocks, in blocks: [size, size / factor]."""
    fine = (np.arange(size) - (factor - 1) / 2) / factor
    return fine[:, None] - np.arange(size // factor)


def cubic_matrix(size, factor):
    """Cubic convolution with a = −1/2 (Keys, IEEE Trans. ASSP 29, 1981), called bicubic in two dimensions."""
    count = size // factor
    distance = np.abs((offsets(size, factor) + count / 2) % count - count / 2)
    near = 1.5 * distance**3 - 2.5 * distance**2 + 1
    far = -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2
    return np.where(distance < 1, near, np.where(distance < 2, far, 0))


def spectral_matrix(size, factor):
    """The Fourier series whose block means are given: exact for fields without waves shorter than two blocks."""
    count = size // factor
    matrix = np.zeros((size, count))
    for wavenumber in range(count // 2 + 1):
        angle = np.pi * wavenumber / size
        kept = np.sin(factor * angle) / (factor * np.sin(angle)) if wavenumber else 1
        modes = 1 if wavenumber == 0 or 2 * wavenumber == count else 2
        matrix += modes / (kept * count) * np.cos(2 * np.pi * wavenumber / count * offsets(size, factor))
    return matrix


def scores(ensemble, truth):
    """CRPS, root mean squared error of the mean and, for several members, √((M + 1)/M)·spread / error, of ensembles
    [cases, members, ...]."""
    members = ensemble.shape[1]
    ordered = np.sort(ensemble, axis=1)
    # Σ |x_i − x_j| over all pairs i < j.
    pairs = np.tensordot(ordered, 2 * np.arange(members) + 1 - members, axes=(1, 0))
    crps = (np.abs(ensemble - truth[:, None]).mean(1) - pairs / members**2).mean()
    error = np.sqrt(((ensemble.mean(1) - truth) ** 2).mean())
    if members == 1:
        return crps, error, None
    spread = np.sqrt(ensemble.var(1, ddof=1).mean())
    return crps, error, np.sqrt((members + 1) / members) * spread / error


def read_ensemble(path, variable):
    """[cases, members, H, W]; a file of samples has one member of each."""
    with h5py.File(path) as file:
        values = file[variable][:].astype(np.float64)
    return values if values.ndim == 4 else values[:, None]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("truth", help="packed fields with their block means")
    parser.add_argument("forecasts", nargs="*", metavar="name=file", help="files by `ddpm-mpi sample --condition`")
    parser.add_argument("--variable", default="vorticity")
    parser.add_argument("--factor", type=int, default=4, help="of --coarse (default: 4)")
    options = parser.parse_args()
    forecasts = {}
    for forecast in options.forecasts:
        name, separator, path = forecast.partition("=")
        if not separator:
            parser.error(f"{forecast} is not of the form name=file")
        forecasts[name] = read_ensemble(path, options.variable)
    with h5py.File(options.truth) as file:
        names = [name.decode() if isinstance(name, bytes) else str(name) for name in file["fields"].attrs["names"]]
        count = min([len(file["fields"]), *map(len, forecasts.values())])
        fields = file["fields"][:count].astype(np.float64)
    truth = fields[..., names.index(options.variable)]
    given = fields[..., names.index(f"{options.variable}_coarse")]
    factor = options.factor
    coarse = given[:, ::factor, ::factor]
    means = truth.reshape(count, *coarse.shape[1:2], factor, coarse.shape[2], factor).mean((2, 4))
    if not np.allclose(coarse, means, rtol=0, atol=1e-5 * np.abs(truth).max()):
        parser.error(f"{options.variable}_coarse is not made of the means of blocks of {factor}x{factor} values")
    height, width = truth.shape[1:]
    rows = {"block means": block_means(coarse, factor)[:, None]}
    for name, matrix in {"bicubic interpolation": cubic_matrix, "spectral interpolation": spectral_matrix}.items():
        rows[name] = interpolated(coarse, matrix(height, factor), matrix(width, factor))[:, None]
    rows |= {name: ensemble[:count] for name, ensemble in forecasts.items()}
    print(f"| {count} test fields | members | CRPS | error of the mean | spread-skill ratio |\n|---|---|---|---|---|")
    for name, ensemble in rows.items():
        crps, error, ratio = scores(ensemble, truth)
        ratio = "" if ratio is None else f"{ratio:.3f}"
        print(f"| {name} | {ensemble.shape[1]} | {crps:.4f} | {error:.4f} | {ratio} |")


if __name__ == "__main__":
    main()
