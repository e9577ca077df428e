"""Compares measures of fields and ensembles with NumPy, SciPy and properscoring.

    python field_measures.py PEER_PROGRAM FOLDER QUESTION

PEER_PROGRAM is .build/release/peer-program; FOLDER is for temporary files. QUESTION is spectra, distributions or
ensembles. scripts/test/peers/field-measures.sh asks all of them. Prints each error; fails if one exceeds its tolerance.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import properscoring
import scipy.stats
from safetensors.numpy import save_file

TOLERANCE = 1e-6

program, folder = sys.argv[1], Path(sys.argv[2])


def smooth(shape, seed, scale=1.0, mean=0.0):
    """Correlated float32 fields [..., H, W, C] with skewed values; neighbouring channels share a part."""
    random = np.random.default_rng(seed)
    noise = random.normal(size=shape)
    noise[..., 1:] += 0.7 * noise[..., :-1]
    for axis in (-3, -2):
        noise = noise + 0.8 * np.roll(noise, 1, axis) + 0.5 * np.roll(noise, 2, axis)
    return (mean + scale * (noise + 0.1 * noise**2)).astype(np.float32)


def ask(fields, others, ensembles, truths, *arguments):
    """Our measures of each channel."""
    path = folder / "fields.safetensors"
    tensors = {"fields": fields, "others": others, "ensembles": ensembles, "truths": truths}
    save_file({name: np.ascontiguousarray(values) for name, values in tensors.items()}, path)
    command = [program, "field-measures", str(path), *map(str, arguments)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["result"]


def compare(what, ours, theirs, tolerance=TOLERANCE):
    """Fails if the difference exceeds the tolerance, relative to the largest of theirs."""
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    assert ours.shape == theirs.shape, (what, ours.shape, theirs.shape)
    error = np.abs(ours - theirs).max() / np.abs(theirs).max()
    print(f"{what}: error {error:.1e}, tolerance {tolerance:.0e}")
    assert error <= tolerance, (what, ours, theirs)


def shell_means(first, second):
    """The mean of Re a·b* over samples and the modes of each shell, from NumPy's transform of half the modes."""
    height, width = first.shape[1:]
    a, b = [np.fft.rfft2(plane.astype(np.float64), norm="ortho") for plane in (first, second)]
    # The modes that rfft2 leaves out are the conjugates of those with 0 < kx < W/2.
    kx = np.arange(width // 2 + 1)
    weight = np.where((kx > 0) & (2 * kx < width), 2.0, 1.0)
    wavenumber = np.hypot(np.fft.fftfreq(height, 1 / height)[:, None], kx[None, :])
    shell = np.rint(wavenumber).astype(int)
    products = (a * b.conj()).real.mean(axis=0) * weight
    weights = np.broadcast_to(weight, shell.shape)
    count = min(height, width) // 2 + 1
    modes = np.bincount(shell.ravel(), weights.ravel())[:count]
    return np.bincount(shell.ravel(), products.ravel())[:count] / modes, modes


def spectra():
    """Power, co-spectra and correlations of each shell by numpy.fft.rfft2."""
    for count, height, width, channels in [(7, 32, 32, 2), (10, 48, 30, 3), (4, 17, 25, 1)]:
        fields = smooth((count, height, width, channels), seed=1)
        others = smooth((count + 2, height, width, channels), seed=2, scale=1.2)
        for channel, ours in enumerate(ask(fields, others, fields[None, :2], fields[2:3], "--threads", 2)):
            what = f"{count} fields of {height}x{width}, channel {channel}"
            power, modes = shell_means(fields[..., channel], fields[..., channel])
            compare(f"{what}, power", np.divide(ours["fields"]["power"]["power"], power), np.ones_like(power))
            compare(f"{what}, modes", ours["fields"]["power"]["modeCounts"], modes, 0)
            reference, _ = shell_means(others[..., channel], others[..., channel])
            compare(f"{what}, relative error", ours["relativeErrors"], power / reference - 1)
            other = (channel + 1) % channels
            cross, _ = shell_means(fields[..., channel], fields[..., other])
            other_power, _ = shell_means(fields[..., other], fields[..., other])
            compare(f"{what}, co-spectrum", ours["fields"]["cross"]["coSpectrum"], cross)
            compare(f"{what}, correlation", ours["fields"]["cross"]["correlation"], cross / np.sqrt(power * other_power))


def distributions():
    """Moments, histograms and distances by scipy.stats and numpy.histogram; with a mean far from zero too."""
    for mean, scale in [(0, 1), (288, 10), (50000, 100)]:
        fields = smooth((11, 20, 24, 2), seed=3, mean=mean, scale=scale)
        others = smooth((8, 20, 24, 2), seed=4, mean=mean + 0.3 * scale, scale=scale)
        ensembles = fields[None, :2]
        for channel, ours in enumerate(ask(fields, others, ensembles, fields[2:3], "--bins", 40)):
            what = f"mean {mean}, channel {channel}"
            first, second = [values[..., channel].astype(np.float64).ravel() for values in (fields, others)]
            moments = ours["fields"]["moments"]
            compare(f"{what}, mean", moments["mean"], first.mean())
            compare(f"{what}, standard deviation", moments["standardDeviation"], first.std())
            compare(f"{what}, skewness", moments["skewness"], scipy.stats.skew(first))
            compare(f"{what}, excess kurtosis", moments["excessKurtosis"], scipy.stats.kurtosis(first))
            edges = np.array(ours["fields"]["histogram"]["edges"])
            assert edges[0] == min(first.min(), second.min()) and edges[-1] == max(first.max(), second.max())
            histograms = [np.histogram(values, edges)[0] for values in (first, second)]
            for name, histogram in zip(["fields", "others"], histograms):
                assert ours[name]["histogram"]["below"] == ours[name]["histogram"]["above"] == 0
                compare(f"{what}, histogram of {name}", ours[name]["histogram"]["counts"], histogram, 0)
            centres = (edges[1:] + edges[:-1]) / 2
            expected = scipy.stats.wasserstein_distance(centres, centres, *histograms)
            compare(f"{what}, distance of histograms", ours["histogramDistance"], expected)
            expected = scipy.stats.wasserstein_distance(first, second)
            compare(f"{what}, distance", ours["distance"], expected)


def ensembles():
    """CRPS by properscoring; the fair one, spread, skill and ranks by their definitions."""
    for cases, members, mean in [(5, 8, 0), (4, 25, 300), (6, 2, 0)]:
        truths = smooth((cases, 12, 10, 2), seed=5, mean=mean)
        draws = smooth((cases, members, 12, 10, 2), seed=6, mean=mean, scale=0.8)
        for channel, ours in enumerate(ask(truths, truths, draws, truths, "--threads", 2)):
            what = f"{members} members, channel {channel}"
            truth = truths[..., channel].astype(np.float64)
            ensemble = np.moveaxis(draws[..., channel], 1, -1).astype(np.float64)
            standard = properscoring.crps_ensemble(truth, ensemble)
            compare(f"{what}, CRPS", ours["crps"]["standard"], standard.mean())
            pairs = np.abs(ensemble[..., :, None] - ensemble[..., None, :]).sum(axis=(-1, -2))
            errors = np.abs(ensemble - truth[..., None]).mean(axis=-1)
            compare(f"{what}, fair CRPS", ours["crps"]["fair"], (errors - pairs / (2 * members * (members - 1))).mean())
            spread = np.sqrt(ensemble.var(axis=-1, ddof=1).mean())
            error = np.sqrt(((ensemble.mean(axis=-1) - truth) ** 2).mean())
            compare(f"{what}, spread", ours["spread"]["spread"], spread)
            compare(f"{what}, error", ours["spread"]["error"], error)
            compare(f"{what}, ratio", ours["spread"]["ratio"], np.sqrt((members + 1) / members) * spread / error)
            assert (ensemble != truth[..., None]).all(), "ties are resolved at random"
            ranks = np.bincount((ensemble < truth[..., None]).sum(axis=-1).ravel(), minlength=members + 1)
            compare(f"{what}, ranks", ours["ranks"]["counts"], ranks, 0)


QUESTIONS = {"spectra": spectra, "distributions": distributions, "ensembles": ensembles}

if __name__ == "__main__":
    QUESTIONS[sys.argv[3]]()
