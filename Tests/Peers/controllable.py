"""Inpainting and colourisation with predictor-corrector sampling, for comparison with `Imputation`.

    pip install numpy h5py
    python controllable.py --write ../DiffusionTests/Fixtures/restoration.h5

    pip install torch scipy tqdm
    git clone https://github.com/yang-song/score_sde_pytorch
    python controllable.py --repository score_sde_pytorch

The first form computes the cases below from the equations of Song et al. (arXiv:2011.13456, appendices C, E, G and I),
with a formula instead of a network and the noise of the Swift package's generator; RestorationAgreementTests repeats
them. The second form runs the authors' own `controllable_generation.py` with the same formula and noise in double
precision, and exits with 1 if it differs from the first by more than 1e-5.

Deliberate differences from the authors' code:

- The known part of the result is the measurement itself. Theirs is multiplied by alpha at the last time.
- They return the last x with its noise in the unknown part, even if `denoise` is set: they compute `x_mean` from x.
  Here, the result has no noise. Both are compared before that: x after the last predictor.
- Their colouriser removes the red channel of the first noise instead of its grey part. The line is corrected for the
  comparison (`FIRST_NOISE`).
- Their basis of colours is rounded to 8 digits. Noise is given to them in that basis.
- They choose one length of a Langevin step for a whole batch, we choose one for each image. They get one image at a
  time.
- Their corrector does not know the sub-VP process; its case has no corrector.

Run by hand, after a change of the cases; no script calls it.

Images are [N, H, W, C] here and in the file, and [N, C, H, W] in torch.
"""

import argparse
import json
import math
import sys
from pathlib import Path
from unittest import mock

import numpy as np

SEED = 5
SHAPE = (2, 4, 4, 3)
# Values of RandomPurpose.
SAMPLER_NOISE = 7
LATENTS = 8

TOLERANCE = 1e-5

DEFAULTS = dict(process="ve", operator="mask", steps=40, corrections=1, snr=0.16, eps=1e-5)

CASES = {
    "inpaint-ve": dict(),
    "inpaint-ve-twice": dict(corrections=2, snr=0.3),
    # For the process in discrete steps.
    "inpaint-ve-steps": dict(process="ve-steps", eps=0.0),
    "inpaint-vp": dict(process="vp", eps=1e-3),
    "inpaint-sub-vp": dict(process="sub-vp", corrections=0, eps=1e-3),
    "colour-ve": dict(operator="grey"),
    "colour-vp": dict(process="vp", operator="grey", eps=1e-3),
}

SIGMA_MIN, SIGMA_MAX = 0.01, 10.0
BETA_MIN, BETA_MAX = 0.1, 20.0


# The generator


def philox4x32_10(counters, key):
    """The Philox4x32-10 block function (Salmon et al., SC11): uint32 [blocks, 4]."""
    words = counters.astype(np.uint64)
    first, second = key
    for _ in range(10):
        left = words[:, 0] * np.uint64(0xD2511F53)
        right = words[:, 2] * np.uint64(0xCD9E8D57)
        words = np.stack(
            [
                (right >> np.uint64(32)) ^ words[:, 1] ^ np.uint64(first),
                right & np.uint64(0xFFFFFFFF),
                (left >> np.uint64(32)) ^ words[:, 3] ^ np.uint64(second),
                left & np.uint64(0xFFFFFFFF),
            ],
            axis=1,
        )
        first, second = (first + 0x9E3779B9) & 0xFFFFFFFF, (second + 0xBB67AE85) & 0xFFFFFFFF
    return words.astype(np.uint32)


def normals(purpose, image, step=0, detail=0):
    """The numbers of `RandomStream.fillNormal` for one image, [H, W, C]."""
    count = math.prod(SHAPE[1:])
    counters = np.zeros(((count + 3) // 4, 4), np.uint32)
    counters[:, 0] = np.arange(len(counters))
    counters[:, 1:] = image, step, purpose << 24 | detail
    values = []
    words = philox4x32_10(counters, (SEED, 0)).reshape(-1).tolist()
    for first, second in zip(words[0::2], words[1::2]):
        radius = math.sqrt(-2 * math.log((first + 0.5) / 2**32))
        angle = 2 * math.pi * (second + 0.5) / 2**32
        values += [radius * math.cos(angle), radius * math.sin(angle)]
    return np.array(values[:count]).astype(np.float32).astype(np.float64).reshape(SHAPE[1:])


class Noise:
    """The noise of one image, by step and use. Details are those of `Imputation`."""

    def __init__(self, case, image):
        self.corrections, self.image = case["corrections"], image

    def first(self):
        return normals(LATENTS, self.image)

    def corrector(self, step, number):
        return normals(SAMPLER_NOISE, self.image, step, 1 + number)

    def known_after_corrector(self, step):
        return normals(SAMPLER_NOISE, self.image, step, self.corrections + 1)

    def predictor(self, step):
        return normals(SAMPLER_NOISE, self.image, step, 0)

    def known_after_predictor(self, step):
        return normals(SAMPLER_NOISE, self.image, step, self.corrections + 2)


# The problem


def marginal(case, time):
    """alpha and sigma of x_t = alpha x_0 + sigma z (equations 29 to 33)."""
    if case["process"].startswith("ve"):
        return 1.0, SIGMA_MIN * (SIGMA_MAX / SIGMA_MIN) ** time
    integral = time * BETA_MIN + time * time * (BETA_MAX - BETA_MIN) / 2
    variance = 1 - math.exp(-integral)
    return math.exp(-integral / 2), variance if case["process"] == "sub-vp" else math.sqrt(variance)


def estimate(x, alpha, sigma):
    """The formula for the image in x, [H, W, C]: elements depend on themselves and on the next."""
    u = x.reshape(-1) / math.sqrt(alpha * alpha + sigma * sigma)
    number = np.arange(u.size)
    values = 0.7 * np.sin(1.3 * u + 0.7 * number) + 0.3 * np.cos(np.roll(u, -1) + number)
    return values.reshape(x.shape)


def truth(image):
    number = np.arange(math.prod(SHAPE[1:])) + 100 * image
    return (0.8 * np.sin(0.37 * number)).reshape(SHAPE[1:])


def known_pixels():
    """The mask, [H, W, 1]."""
    return np.array([[(row + 2 * column) % 3 == 0 for column in range(SHAPE[2])] for row in range(SHAPE[1])])[..., None]


def project(case, x):
    """The known part of an image."""
    if case["operator"] == "grey":
        return np.broadcast_to(x.mean(axis=-1, keepdims=True), x.shape)
    return x * known_pixels()


# The equations


def chain_step(case, index):
    """The factor of x and the variance of a step of the forward chain (equations 8 to 11, 28)."""
    steps, place = case["steps"], (case["steps"] - 1 - index) / (case["steps"] - 1)
    if case["process"].startswith("ve"):
        earlier = marginal(case, (case["steps"] - 2 - index) / (case["steps"] - 1))[1] if index + 1 < steps else 0.0
        return 1.0, marginal(case, place)[1] ** 2 - earlier**2
    if case["process"] == "vp":
        beta = (BETA_MIN + place * (BETA_MAX - BETA_MIN)) / steps
        return math.sqrt(1 - beta), beta
    time = times(case)[index]
    beta = BETA_MIN + time * (BETA_MAX - BETA_MIN)
    integral = 2 * time * BETA_MIN + time * time * (BETA_MAX - BETA_MIN)
    return 1 - beta / (2 * steps), beta * (1 - math.exp(-integral)) / steps


def times(case):
    return np.linspace(1, case["eps"], case["steps"])


def impute(case, image):
    """The result and the noisy x before it (algorithms 2 to 5 and appendix I), [H, W, C]."""
    noise, y = Noise(case, image), project(case, truth(image))
    prior = SIGMA_MAX if case["process"].startswith("ve") else 1.0

    def replace(x, alpha, sigma, z):
        return x - project(case, x) + alpha * y + sigma * project(case, z)

    first = prior * noise.first()
    x = first - project(case, first) + y
    for step, time in enumerate(times(case)):
        alpha, sigma = marginal(case, time)
        ratio, variance = chain_step(case, step)

        def score(x):
            return (alpha * estimate(x, alpha, sigma) - x) / sigma**2

        for number in range(case["corrections"]):
            z, slope = noise.corrector(step, number), score(x)
            length = 2 * ratio**2 * (case["snr"] * np.linalg.norm(z) / np.linalg.norm(slope)) ** 2
            x = x + length * slope + math.sqrt(2 * length) * z
        x = replace(x, alpha, sigma, noise.known_after_corrector(step))
        mean = (2 - ratio) * x + variance * score(x)
        x = mean + math.sqrt(variance) * noise.predictor(step)
        x = replace(x, alpha, sigma, noise.known_after_predictor(step))
    return mean - project(case, mean) + y, x


# The authors' code

FIRST_NOISE = (
    "decouple(sde.prior_sampling(shape).to(gray_scale_img.device)\n                          * (1. - mask)))",
    "decouple(sde.prior_sampling(shape).to(gray_scale_img.device)) * (1. - mask))",
)


class Repository:
    def __init__(self, folder):
        import torch

        self.torch = torch
        torch.set_default_dtype(torch.float64)
        sys.path.insert(0, folder)
        import sampling
        import sde_lib

        self.sampling, self.sde_lib = sampling, sde_lib
        text = (Path(folder) / "controllable_generation.py").read_text()
        assert FIRST_NOISE[0] in text, "the authors' code has changed"
        self.functions = {}
        exec(compile(text.replace(*FIRST_NOISE), "controllable_generation.py", "exec"), self.functions)

    def to_torch(self, image):
        return self.torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None]

    @staticmethod
    def from_torch(image):
        return image[0].numpy().transpose(1, 2, 0)

    def process(self, case):
        steps = case["steps"]
        if case["process"].startswith("ve"):
            return self.sde_lib.VESDE(SIGMA_MIN, SIGMA_MAX, steps)
        return (self.sde_lib.VPSDE if case["process"] == "vp" else self.sde_lib.subVPSDE)(BETA_MIN, BETA_MAX, steps)

    def impute(self, case, image, denoise):
        process, torch = self.process(case), self.torch
        repository = self

        class Model(torch.nn.Module):
            def forward(self, x, labels):
                if case["process"].startswith("ve"):
                    alpha, sigma = 1.0, labels.item()
                else:
                    alpha, sigma = marginal(case, labels.item() / 999)
                x = repository.from_torch(x)
                noise = (x - alpha * estimate(x, alpha, sigma)) / sigma
                return repository.to_torch(-noise / sigma if case["process"].startswith("ve") else noise)

        noise, grey = Noise(case, image), case["operator"] == "grey"
        short, long = math.sqrt(0.5), math.sqrt(1.5)
        basis = np.array([[1, -2 * short, 0], [1, short, long], [1, short, -long]])
        draws = []
        for step in range(case["steps"]):
            draws += [noise.corrector(step, number) for number in range(case["corrections"])]
            for known, others in ((noise.known_after_corrector, [noise.predictor]), (noise.known_after_predictor, [])):
                z = known(step)
                draws.append(z @ (basis / math.sqrt(3)) if grey else z)
                draws += [draw(step) for draw in others]
        draws = iter(draws)
        options = dict(
            predictor=self.sampling.ReverseDiffusionPredictor,
            corrector=self.sampling.LangevinCorrector if case["corrections"] else self.sampling.NoneCorrector,
            inverse_scaler=lambda x: x, snr=case["snr"], n_steps=case["corrections"], continuous=True, denoise=denoise,
            eps=case["eps"] or 1e-9,
        )
        first = self.to_torch(noise.first())
        known = self.to_torch(project(case, truth(image)))
        with (
            mock.patch.object(torch, "randn", lambda *shape: first),
            mock.patch.object(torch, "randn_like", lambda x: self.to_torch(next(draws))),
        ):
            if grey:
                result = self.functions["get_pc_colorizer"](process, **options)(Model(), known)
            else:
                mask = self.to_torch(np.broadcast_to(known_pixels(), SHAPE[1:]).astype(np.float64))
                result = self.functions["get_pc_inpainter"](process, **options)(Model(), known, mask)
        assert next(draws, None) is None, "noise is left over"
        return self.from_torch(result)

    def compare(self):
        worst = 0.0
        for name, changes in CASES.items():
            case = DEFAULTS | changes
            for image in range(SHAPE[0]):
                _, last = impute(case, image)
                errors = [np.abs(self.impute(case, image, denoise=False) - last).max()]
                if case["operator"] == "mask":
                    alpha = marginal(case, times(case)[-1])[0]
                    expected = last - project(case, last) + alpha * project(case, truth(image))
                    errors.append(np.abs(self.impute(case, image, denoise=True) - expected).max())
                print(f"{name:18} image {image}: {max(errors):.1e}")
                worst = max(worst, *errors)
        print("agrees" if worst <= TOLERANCE else "DIFFERS")
        return 0 if worst <= TOLERANCE else 1


def write(path):
    import h5py

    with h5py.File(path, "w", libver=("earliest", "v110")) as file:
        cases = [dict(name=name) | DEFAULTS | changes for name, changes in CASES.items()]
        config = json.dumps(
            dict(
                seed=SEED, cases=cases, sigma_min=SIGMA_MIN, sigma_max=SIGMA_MAX, beta_min=BETA_MIN, beta_max=BETA_MAX
            )
        ).encode()
        file.attrs.create("config", np.array(config), dtype=h5py.string_dtype("utf-8", len(config)))
        file["truth"] = np.stack([truth(image) for image in range(SHAPE[0])])
        file["mask"] = known_pixels()[..., 0].astype(np.uint8)
        for case in cases:
            results = [impute(case, image) for image in range(SHAPE[0])]
            file[f"cases/{case['name']}"] = np.stack([result for result, _ in results])


def main():
    parser = argparse.ArgumentParser(description="Inpainting and colourisation as Song et al. 2020 do them.")
    parser.add_argument("--write", metavar="FILE", help="write the results of all cases")
    parser.add_argument("--repository", metavar="FOLDER", help="compare with a clone of score_sde_pytorch")
    arguments = parser.parse_args()
    counter = np.array([[0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344]], np.uint32)
    block = philox4x32_10(counter, (0xA4093822, 0x299F31D0))
    assert block[0, 0] == 0xD16CFE09, "Philox4x32-10 is wrong"
    if arguments.write:
        write(arguments.write)
    return Repository(arguments.repository).compare() if arguments.repository else 0


if __name__ == "__main__":
    sys.exit(main())
