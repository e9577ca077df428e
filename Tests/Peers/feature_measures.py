"""Compares measures of sets of features with the libraries that define them or are commonly used: NumPy, pytorch-fid
and torch-fidelity.

    python feature_measures.py PEER_PROGRAM FOLDER QUESTION

PEER_PROGRAM is .build/release/peer-program; FOLDER is for temporary files. QUESTION is archives, frechet,
inception_score, kernel_distance or precision_recall. scripts/test/peers/statistics.sh asks all of them. Prints each
error; fails if one exceeds its tolerance.
"""

import json
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
from pytorch_fid.fid_score import calculate_frechet_distance
from safetensors.numpy import save_file
from torch_fidelity.metric_fid import fid_statistics_to_metric
from torch_fidelity.metric_isc import isc_features_to_metric
from torch_fidelity.metric_kid import kernel_mmd, kid_features_to_metric
from torch_fidelity.metric_prc import prc_features_to_metric

# SciPy warns of an argument that pytorch-fid still passes, and of roots of the singular matrices in these tests.
warnings.simplefilter("ignore")

program, folder = sys.argv[1], Path(sys.argv[2])


def ask(*arguments):
    """The program's result."""
    command = [program, *map(str, arguments)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["result"]


def features(count, dimension, seed, shift=0.0, rank=24):
    """Like a network's features after a rectifier: correlated, with very different variances, many of them zero."""
    random = np.random.default_rng(seed)
    weights = np.random.default_rng(0).normal(size=(rank, dimension)) * np.linspace(1, 0.05, rank)[:, None]
    values = random.normal(size=(count, rank)) @ weights * 0.3 + 0.1 * random.normal(size=(count, dimension)) + shift
    return np.maximum(values, 0).astype(np.float32)


def store(name, values):
    path = folder / f"{name}.safetensors"
    save_file({"features": np.ascontiguousarray(values)}, path)
    return path


def statistics(values):
    return values.astype(np.float64).mean(axis=0), np.cov(values.astype(np.float64), rowvar=False)


def compare(what, ours, theirs, tolerance, scale=None):
    """Fails if the difference exceeds the tolerance, relative to `scale` or else to theirs."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape, (what, ours.shape, theirs.shape)
    error = np.abs(ours - theirs).max() / (np.abs(theirs).max() if scale is None else scale)
    print(f"{what}: error {error:.1e}, tolerance {tolerance:.0e}")
    assert error <= tolerance, (what, ours, theirs)


def archives():
    """Statistics by numpy.cov, and archives that both sides read."""
    for count, dimension in [(300, 40), (30, 100), (1000, 257)]:
        values = features(count, dimension, seed=count)
        path = folder / "ours.npz"
        assert ask("statistics", store("x", values), path, "--provenance", '{"network": "ä"}', "--threads", 2) == count
        mean, covariance = statistics(values)
        with np.load(path) as file:
            compare(f"mean of {count} images", file["mu"], mean, 1e-13)
            compare(f"covariance of {count} images", file["sigma"], covariance, 1e-13)
            assert file["mu"].dtype == file["sigma"].dtype == np.float64
            assert int(file["count"]) == count and json.loads(str(file["provenance"])) == {"network": "ä"}
    other_mean, other_covariance = statistics(features(500, 257, seed=1, shift=0.1))
    expected = calculate_frechet_distance(mean, covariance, other_mean, other_covariance)
    for save in [np.savez, np.savez_compressed]:
        for name, convert, tolerance in [
            ("row-major", np.ascontiguousarray, 1e-9),
            ("column-major", np.asfortranarray, 1e-9),
            ("big-endian", lambda matrix: matrix.astype(">f8"), 1e-9),
            ("single precision", lambda matrix: matrix.astype(np.float32), 1e-4),
        ]:
            save(folder / "theirs.npz", mu=convert(other_mean), sigma=convert(other_covariance))
            ours = ask("frechet-distance", folder / "ours.npz", folder / "theirs.npz")
            assert ours["firstCount"] == count and "secondCount" not in ours
            compare(f"{save.__name__}, {name}", ours["value"], expected, tolerance)


def frechet():
    """The distance by pytorch-fid and torch-fidelity, and the exact value for singular statistics."""

    def compare_distances(what, first, second, exact=None, tolerance=1e-6):
        paths = [folder / "first.npz", folder / "second.npz"]
        for path, (mean, covariance) in zip(paths, [first, second]):
            np.savez(path, mu=mean, sigma=covariance)
        ours = ask("frechet-distance", *paths)["value"]
        if exact is not None:
            compare(f"{what}, from the features' singular values", ours, exact, 1e-9)
        compare(f"{what}, pytorch-fid", ours, calculate_frechet_distance(*first, *second), tolerance)
        both = [dict(mu=mean, sigma=covariance) for mean, covariance in [first, second]]
        theirs = fid_statistics_to_metric(*both, verbose=False)["frechet_inception_distance"]
        compare(f"{what}, torch-fidelity", ours, theirs, tolerance)

    def exact_distance(x, y):
        """tr √(√Σ₁·Σ₂·√Σ₁) is the sum of singular values of X·Yᵀ, where X and Y are the differences from the means."""
        x, y = x.astype(np.float64), y.astype(np.float64)
        difference = x.mean(axis=0) - y.mean(axis=0)
        x, y = [(z - z.mean(axis=0)) / (len(z) - 1) ** 0.5 for z in (x, y)]
        common = np.linalg.svd(x @ y.T, compute_uv=False).sum()
        return difference @ difference + (x**2).sum() + (y**2).sum() - 2 * common

    for count, other, dimension in [(1000, 800, 64), (600, 900, 256), (50, 400, 128), (30, 20, 128), (2, 3, 64)]:
        x = features(count, dimension, seed=count)
        y = features(other, dimension, seed=other, shift=0.05)
        what = f"{count} and {other} images, {dimension} features"
        compare_distances(what, statistics(x), statistics(y), exact_distance(x, y))
    constant = features(300, 64, seed=5)
    constant[:, 10:30] = 0.25
    x = features(400, 64, seed=6)
    compare_distances("features that never change", statistics(constant), statistics(x), exact_distance(constant, x))
    constant_statistics = (np.zeros(16), np.zeros((16, 16)))
    compare_distances("no variance on one side", constant_statistics, statistics(features(50, 16, seed=7)))
    compare_distances("no variance at all", constant_statistics, (np.ones(16), np.zeros((16, 16))))
    for count in [20, 500]:
        np.savez(folder / "same.npz", **dict(zip(["mu", "sigma"], statistics(features(count, 100, seed=8)))))
        ours = ask("frechet-distance", folder / "same.npz", folder / "same.npz")["value"]
        with np.load(folder / "same.npz") as file:
            compare(f"equal statistics of {count} images", ours, 0.0, 1e-12, scale=np.trace(file["sigma"]))


def inception_score():
    """The score by torch-fidelity without shuffling."""
    for count, classes, splits in [(100, 10, 10), (1003, 1008, 10), (57, 3, 4)]:
        logits = (np.random.default_rng(count).normal(size=(count, classes)) * 3).astype(np.float32)
        ours = ask("inception-score", store("x", logits), "--splits", splits)
        theirs = isc_features_to_metric(torch.from_numpy(logits), splits=splits, shuffle=False)
        compare(f"{count} images, {splits} splits", ours["mean"], theirs["inception_score_mean"], 1e-12)
        compare("    deviation", ours["standardDeviation"], theirs["inception_score_std"], 1e-12,
                scale=theirs["inception_score_mean"])


def kernel_distance():
    """The distance by torch-fidelity, in double precision, over the same subsets."""
    x, y = features(700, 256, seed=1), features(900, 256, seed=2, shift=0.1)
    arguments = ["--subset-size", 200, "--subset-count", 8, "--seed", 3, "--threads", 2]
    ours = ask("kernel-distance", store("x", x), store("y", y), *arguments)
    double = [values.astype(np.float64) for values in (x, y)]
    estimates = [
        kernel_mmd(*(values[indices] for values, indices in zip(double, subset)), kid_kernel="poly")
        for subset in ours["places"]
    ]
    compare("mean over subsets", ours["distance"]["mean"], np.mean(estimates), 1e-10)
    compare("deviation over subsets", ours["distance"]["standardDeviation"], np.std(estimates), 1e-10)
    whole = [torch.from_numpy(values[:500]) for values in double]
    theirs = kid_features_to_metric(*whole, kid_subsets=1, kid_subset_size=500, verbose=False)
    paths = [store(name, values[:500]) for name, values in [("x", x), ("y", y)]]
    ours = ask("kernel-distance", *paths, "--subset-size", 500, "--subset-count", 1)
    compare("one subset of all images", ours["distance"]["mean"], theirs["kernel_inception_distance_mean"], 1e-10)


def precision_recall():
    """Both by torch-fidelity, in double precision: the same images are on the manifolds."""
    for count, other, dimension, neighbours in [(300, 400, 16, 3), (1500, 1200, 64, 3), (200, 2500, 8, 5)]:
        x, y = features(count, dimension, seed=1, shift=0.2), features(other, dimension, seed=2)
        arguments = ["--neighbours", neighbours, "--threads", 2]
        ours = ask("precision-recall", store("x", x), store("y", y), *arguments)
        double = [torch.from_numpy(values.astype(np.float64)) for values in (x, y)]
        theirs = prc_features_to_metric(*double, prc_neighborhood=neighbours, save_cpu_ram=False, verbose=False)
        # Theirs are means in single precision.
        compare(f"precision of {count} images beside {other}", ours["precision"], theirs["precision"], 1e-7)
        compare(f"recall of {count} images beside {other}", ours["recall"], theirs["recall"], 1e-7)
        assert 0.01 < ours["precision"] < 1 and 0.01 < ours["recall"] < 1, "a comparison that could not fail"


QUESTIONS = {
    "archives": archives,
    "frechet": frechet,
    "inception_score": inception_score,
    "kernel_distance": kernel_distance,
    "precision_recall": precision_recall,
}

if __name__ == "__main__":
    QUESTIONS[sys.argv[3]]()
