"""Writes the trajectories of diffusers' schedulers from noise to images.

trajectories.h5 also has the steps that the schedulers visit; zero-snr.h5 is for schedules with a zero terminal SNR.

    pip install torch diffusers h5py scipy
    python make_trajectories.py [FILE...]

README.md describes the files and the deliberate differences from diffusers.

Each scheduler runs twice: unchanged, in float32, and in double precision, by the same code with float32 replaced
(`double_precision`). The network is a formula, and the noise comes from the Swift package's generator; the tests repeat
both.

Images are [N, H, W, C] in the files and formulas, and [N, C, H, W] in torch.
"""

import contextlib
import json
import logging
import math
import sys
from pathlib import Path
from unittest import mock

import diffusers
import h5py
import numpy as np
import torch
from diffusers import (
    DDIMScheduler,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    EDMDPMSolverMultistepScheduler,
    EDMEulerScheduler,
    HeunDiscreteScheduler,
    ScoreSdeVeScheduler,
)
from diffusers.schedulers.deprecated import KarrasVeScheduler
from scipy.interpolate import PchipInterpolator
from scipy.optimize import brentq

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "NetworkTests" / "Fixtures"))
from fixture_tools import check_philox, images_from_torch, images_to_torch, philox4x32_10, write_text  # noqa: E402

SEED = 5
SHAPE = (2, 2, 2, 3)
# Values of RandomPurpose.
SAMPLER_NOISE = 7
LATENTS = 8

# The package's names of schedules and predictions, and diffusers' names.
SCHEDULES = {
    "linear": "linear",
    "quadratic": "scaled_linear",
    "cosine": "squaredcos_cap_v2",
    "sigmoid": "sigmoid",
}
PREDICTIONS = {"noise": "epsilon", "data": "sample", "velocity": "v_prediction"}

# The maximum difference between a scheduler's float32 and its double precision: less than the tests' tolerance.
SINGLE_TOLERANCE = 5e-5

DEFAULTS = dict(
    process="vp",
    schedule="linear",
    first=1e-4,
    last=0.02,
    zero_terminal_snr=False,
    prediction="noise",
    spacing="linspace",
    eta=0.0,
    variance="small",
    clips=False,
    clips_in_denoiser=False,
    corrections=1,
    snr=0.15,
    churn=[0.0, 0.0, 1e9, 1.0],  # S_churn, S_tmin, S_tmax, S_noise
    sigma_min=0.01,
    sigma_max=10.0,
    images=SHAPE[0],
)

CASES = {
    # The variances of ancestral sampling, with numbers of steps that divide T and others that do not.
    "ddpm-small-clipped": dict(sampler="ddpm", steps=10, spacing="leading", clips=True),
    "ddpm-small": dict(sampler="ddpm", steps=7, spacing="trailing"),
    "ddpm-large-clipped": dict(sampler="ddpm", steps=12, variance="large", clips=True),
    "ddpm-large-leading": dict(sampler="ddpm", steps=9, spacing="leading", variance="large"),
    "ddpm-large-trailing": dict(sampler="ddpm", steps=8, spacing="trailing", variance="large"),
    "ddpm-learned-range": dict(sampler="ddpm", steps=12, variance="learned-range"),
    "ddpm-velocity": dict(sampler="ddpm", steps=10, prediction="velocity", variance="large"),
    "ddpm-data": dict(sampler="ddpm", steps=10, prediction="data"),
    "ddpm-sigmoid": dict(sampler="ddpm", steps=25, schedule="sigmoid", clips=True),
    "ddim": dict(sampler="ddim", steps=10, spacing="leading"),
    "ddim-clipped": dict(sampler="ddim", steps=10, spacing="trailing", clips=True),
    "ddim-half": dict(sampler="ddim", steps=10, spacing="leading", eta=0.5),
    "ddim-full-clipped": dict(sampler="ddim", steps=20, spacing="trailing", eta=1.0, clips=True),
    "ddim-noise-clipped": dict(sampler="ddim", steps=10, spacing="leading", clips_in_denoiser=True),
    "ddim-data": dict(sampler="ddim", steps=10, spacing="leading", eta=0.5, prediction="data"),
    "ddim-cosine-velocity": dict(
        sampler="ddim", steps=10, spacing="trailing", eta=0.5, schedule="cosine", prediction="velocity"
    ),
    # Cases in which DDIMScheduler assumes another previous step than the one that it visits next.
    "ddim-linspace": dict(sampler="ddim", steps=10, eta=0.5),
    "ddim-uneven": dict(sampler="ddim", steps=7, spacing="trailing", eta=0.5),
    "ddim-as-solver": dict(sampler="ddim", scheduler="dpmsolver++", steps=10),
    "ddim-as-stochastic-solver": dict(sampler="ddim", scheduler="sde-dpmsolver++", steps=10, eta=1.0),
    # From 15 steps on, diffusers treats the last steps differently.
    "dpm-solver-linspace": dict(sampler="dpm-solver++", steps=10),
    "dpm-solver-leading": dict(sampler="dpm-solver++", steps=10, spacing="leading"),
    "dpm-solver-trailing": dict(sampler="dpm-solver++", steps=7, spacing="trailing"),
    "dpm-solver-many": dict(sampler="dpm-solver++", steps=20),
    "dpm-solver-clipped": dict(sampler="dpm-solver++", steps=10, clips_in_denoiser=True),
    "dpm-solver-velocity": dict(sampler="dpm-solver++", steps=15, spacing="trailing", prediction="velocity"),
    "dpm-solver-data": dict(sampler="dpm-solver++", steps=10, prediction="data"),
    "dpm-solver-quadratic": dict(
        sampler="dpm-solver++", steps=10, schedule="quadratic", first=0.00085, last=0.012, prediction="velocity"
    ),
    "dpm-solver-edm": dict(sampler="dpm-solver++", process="edm", steps=12, sigma_min=0.002, sigma_max=80.0),
    "heun": dict(sampler="edm", steps=8),
    "heun-clipped": dict(sampler="edm", steps=8, clips_in_denoiser=True),
    "heun-velocity": dict(sampler="edm", steps=8, prediction="velocity"),
    "edm": dict(sampler="edm", process="edm", steps=10, sigma_min=0.002, sigma_max=80.0),
    "edm-churn": dict(
        sampler="edm", process="edm", steps=10, sigma_min=0.002, sigma_max=80.0, churn=[3.0, 0.05, 50.0, 1.003]
    ),
    # One image, since the scheduler averages norms over the batch.
    "predictor-corrector": dict(sampler="predictor-corrector", process="ve", steps=12, prediction="score", images=1),
    "predictor-corrector-twice": dict(
        sampler="predictor-corrector", process="ve", steps=6, corrections=2, snr=0.3, prediction="score", images=1
    ),
}

# Schedules whose last step leaves nothing of the image.
ZERO_SNR_CASES = {
    "ddpm-zero-snr": dict(
        sampler="ddpm", steps=10, spacing="trailing", prediction="velocity", zero_terminal_snr=True
    ),
    "ddpm-zero-snr-clipped": dict(
        sampler="ddpm", steps=12, prediction="data", variance="large", clips=True, zero_terminal_snr=True
    ),
    "ddim-zero-snr": dict(
        sampler="ddim", steps=10, spacing="trailing", prediction="velocity", zero_terminal_snr=True
    ),
    "ddim-zero-snr-quadratic": dict(
        sampler="ddim", steps=20, spacing="trailing", eta=0.5, schedule="quadratic", first=0.00085, last=0.012,
        prediction="velocity", zero_terminal_snr=True,
    ),
    "ddim-zero-snr-data": dict(
        sampler="ddim", steps=10, spacing="trailing", schedule="cosine", prediction="data", zero_terminal_snr=True
    ),
}

# Numbers of training and of sampling steps.
STEP_COUNTS = [(1000, n) for n in (1, 2, 3, 7, 20, 48, 50, 333)] + [(100, 7), (250, 36), (4000, 192)]


# Random numbers


def normals(purpose, step, image, detail, count):
    """The numbers of `RandomStream(seed: SEED, purpose:, step:, sample: image, detail:).fillNormal`, float32 [count].

    The logarithm, sine and cosine are those of the C library, since numpy's depend on the processor.
    """
    blocks = (count + 3) // 4
    counters = np.zeros((blocks, 4), np.uint32)
    counters[:, 0] = np.arange(blocks)
    counters[:, 1:] = image, step, purpose << 24 | detail
    words = philox4x32_10(counters, (SEED, 0)).reshape(-1).tolist()
    values = []
    for first, second in zip(words[0::2], words[1::2]):
        radius = math.sqrt(-2 * math.log((first + 0.5) / 2**32))
        angle = 2 * math.pi * (second + 0.5) / 2**32
        values += [radius * math.cos(angle), radius * math.sin(angle)]
    return np.array(values[:count]).astype("float32")


def batch_of_normals(purpose, images, step=0, detail=0):
    size = math.prod(SHAPE[1:])
    rows = [normals(purpose, step, image, detail, size) for image in range(images)]
    return np.stack(rows).reshape(images, *SHAPE[1:]).astype(np.float64)


class Noise:
    """Replaces diffusers' `randn_tensor`. Each draw must be announced first."""

    def __init__(self, case):
        self.images = case["images"]
        self.next = None

    def announce(self, step, detail=0):
        self.next = batch_of_normals(SAMPLER_NOISE, self.images, step, detail)

    def announce_zeros(self):
        self.next = np.zeros((self.images, *SHAPE[1:]))

    def draw(self, shape, **_):
        noise, self.next = tensor(self.next), None
        assert noise.shape == shape
        return noise


# Networks


def network_output(case, x, time):
    """The network's output for its inputs: the (scaled) images x [N, H, W, C] and the time."""
    index = np.arange(x[0].size, dtype=np.float64).reshape(x.shape[1:])
    if case["process"] == "edm":
        return np.sin(1.5 * x + 0.7 * index + time)
    if case["process"] == "ve":
        # The input is divided by sqrt(1 + sigma^2).
        fraction = time / (case["steps"] - 1)
        sigma = case["sigma_min"] * (case["sigma_max"] / case["sigma_min"]) ** fraction
        unscaled = x * math.sqrt(1 + sigma**2)
        return (1.2 * np.sin(1.5 * unscaled + 0.7 * index + fraction) - unscaled) / sigma**2
    # Approximately alpha and sigma of the linear schedule, so that the image and the noise that follow from the output
    # have realistic magnitudes for every kind of prediction.
    fraction = (time + 1) / 1000
    alpha = math.exp(-0.05 * fraction - 4.975 * fraction**2)
    sigma = math.sqrt(1 - alpha**2)
    velocity = np.sin(1.5 * x + 0.7 * index + 3 * fraction)
    if case["prediction"] == "data":
        output = alpha * x - sigma * velocity
    elif case["prediction"] == "velocity":
        output = velocity
    else:
        output = sigma * x + alpha * velocity
    if case["variance"] == "learned-range":
        return np.concatenate([output, np.sin(2 * x + index)], axis=-1)
    return output


# Precision


@contextlib.contextmanager
def double_precision():
    """Makes diffusers' code compute in double precision wherever it names float32."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with mock.patch.object(torch, "float32", torch.float64), mock.patch.object(np, "float32", np.float64):
            yield
    finally:
        torch.set_default_dtype(before)


def tensor(images):
    return images_to_torch(np.asarray(images, np.float64)).to(torch.get_default_dtype())


def array(images):
    return images_from_torch(images).astype(np.float64)


# Samplers. Each returns the last x. They evaluate the network through a `Trajectory`, which records its inputs.


class Trajectory:
    """The network with a record of its inputs: x [N, H, W, C] and the times."""

    def __init__(self, case):
        self.case, self.times, self.images = case, [], []

    def evaluate(self, x, time, scaled=None):
        """The network's output for x; if the network gets scaled images, `scaled` has them."""
        time = float(time)
        self.times.append(time)
        self.images.append(array(x))
        return tensor(network_output(self.case, array(x if scaled is None else scaled), time))


def discrete_options(case):
    return dict(
        num_train_timesteps=1000,
        beta_start=case["first"],
        beta_end=case["last"],
        beta_schedule=SCHEDULES[case["schedule"]],
        prediction_type=PREDICTIONS[case["prediction"]],
        rescale_betas_zero_snr=case["zero_terminal_snr"],
    )


def ddpm(case, latents, noise, trajectory):
    variance = {"small": "fixed_small", "large": "fixed_large", "learned-range": "learned_range"}[case["variance"]]
    scheduler = DDPMScheduler(
        **discrete_options(case),
        timestep_spacing=case["spacing"],
        variance_type=variance,
        clip_sample=case["clips"],
    )
    scheduler.set_timesteps(case["steps"])
    x = tensor(latents) * scheduler.init_noise_sigma
    for t in scheduler.timesteps:
        noise.announce(int(t))
        if t == scheduler.timesteps[-1]:
            # Ho et al., algorithm 2: z = 0 in the last step. diffusers draws noise wherever t > 0; with `trailing`, it
            # adds noise to the finished image.
            noise.announce_zeros()
        x = scheduler.step(trajectory.evaluate(x, t), t, x).prev_sample
    return x


def ddim(case, latents, noise, trajectory):
    scheduler = DDIMScheduler(
        **discrete_options(case),
        timestep_spacing=case["spacing"],
        clip_sample=case["clips"] or case["clips_in_denoiser"],
    )
    steps = case["steps"]
    scheduler.set_timesteps(steps)
    x = tensor(latents) * scheduler.init_noise_sigma
    visited = scheduler.timesteps.tolist()
    for t, next_t in zip(visited, visited[1:] + [-1]):
        # The scheduler goes to step t - T // N, but equation 12 of the paper to the next step that is visited. These
        # differ for `linspace`, and if N does not divide T; then T is set to a value that leads to the next step.
        is_same = t - 1000 // steps == next_t or max(next_t, t - 1000 // steps) < 0
        scheduler.register_to_config(num_train_timesteps=1000 if is_same else (t - next_t) * steps)
        noise.announce(t)
        output = trajectory.evaluate(x, t)
        x = scheduler.step(
            output, t, x, eta=case["eta"], use_clipped_model_output=case["clips_in_denoiser"]
        ).prev_sample
    return x


def ddim_as_solver(case, latents, noise, trajectory):
    """First-order DPM-Solver++ is DDIM; its stochastic variant is DDIM with eta = 1 (arXiv:2211.01095, section 6)."""
    timesteps = DDIMScheduler(timestep_spacing=case["spacing"])
    timesteps.set_timesteps(case["steps"])
    scheduler = DPMSolverMultistepScheduler(
        **discrete_options(case), algorithm_type=case["scheduler"], solver_order=1
    )
    scheduler.set_timesteps(timesteps=timesteps.timesteps.tolist())
    x = tensor(latents) * scheduler.init_noise_sigma
    for t in scheduler.timesteps:
        noise.announce(int(t))
        x = scheduler.step(trajectory.evaluate(x, t), t, x).prev_sample
    return x


def dpm_solver(case, latents, noise, trajectory):
    # `thresholding` with its default maximum of 1 limits images to [-1, 1].
    scheduler = DPMSolverMultistepScheduler(
        **discrete_options(case), timestep_spacing=case["spacing"], thresholding=case["clips_in_denoiser"]
    )
    scheduler.set_timesteps(case["steps"])
    x = tensor(latents) * scheduler.init_noise_sigma
    for t in scheduler.timesteps:
        x = scheduler.step(trajectory.evaluate(x, t), t, x).prev_sample
    return x


def edm_options(case):
    return dict(sigma_min=case["sigma_min"], sigma_max=case["sigma_max"])


def dpm_solver_edm(case, latents, noise, trajectory):
    scheduler = EDMDPMSolverMultistepScheduler(**edm_options(case))
    scheduler.set_timesteps(case["steps"])
    # Karras et al., algorithm 2. The scheduler's `init_noise_sigma` is the standard deviation of noise plus an image.
    x = tensor(latents) * case["sigma_max"]
    for t in scheduler.timesteps:
        output = trajectory.evaluate(x, t, scheduler.scale_model_input(x, t))
        x = scheduler.step(output, t, x).prev_sample
    return x


def heun(case, latents, noise, trajectory):
    options = discrete_options(case)
    del options["rescale_betas_zero_snr"]
    scheduler = HeunDiscreteScheduler(
        **options, use_karras_sigmas=True, clip_sample=case["clips_in_denoiser"]
    )
    scheduler.set_timesteps(case["steps"])
    logarithms = torch.log(scheduler.alphas_cumprod).double().numpy()
    curve = PchipInterpolator(np.arange(1000.0), logarithms)
    x = tensor(latents) * scheduler.init_noise_sigma
    for number, t in enumerate(scheduler.timesteps):
        # Between steps, t is interpolated: by the scheduler in log sigma, by the package in log alphas_cumprod. The
        # network gets the package's t; both lie between the same steps.
        level = -math.log1p(float(scheduler.sigmas[number]) ** 2)
        time = 999.0 if level <= logarithms[-1] else 0.0
        if logarithms[-1] < level < logarithms[0]:
            time = brentq(lambda t: curve(t) - level, 0, 999, xtol=1e-13, rtol=4 * np.finfo(float).eps)
        assert abs(time - float(t)) < 0.2, f"t = {float(t)} is {time} in the package"
        x_t = scheduler.scale_model_input(x, t)
        x = scheduler.step(trajectory.evaluate(x_t, time), t, x).prev_sample
    return x


def edm(case, latents, noise, trajectory):
    """Heun's steps by KarrasVeScheduler, at EDMEulerScheduler's noise levels and with its preconditioning."""
    churn, churn_min, churn_max, churn_noise = case["churn"]
    preconditioner = EDMEulerScheduler(**edm_options(case))
    preconditioner.set_timesteps(case["steps"])
    scheduler = KarrasVeScheduler(
        **edm_options(case), s_churn=churn, s_min=churn_min, s_max=churn_max, s_noise=churn_noise)
    scheduler.set_timesteps(case["steps"])

    def output(x, sigma):
        """(D(x) - x) / sigma, which the scheduler expects."""
        scaled = preconditioner.precondition_inputs(x, sigma)
        raw = trajectory.evaluate(x, preconditioner.precondition_noise(sigma), scaled)
        return (preconditioner.precondition_outputs(x, raw, sigma) - x) / sigma

    sigmas = preconditioner.sigmas
    x = tensor(latents) * scheduler.init_noise_sigma
    for number, (sigma, next_sigma) in enumerate(zip(sigmas, sigmas[1:])):
        noise.announce(number)
        x_hat, sigma_hat = scheduler.add_noise_to_input(x, sigma)
        step = scheduler.step(output(x_hat, sigma_hat), sigma_hat, next_sigma, x_hat)
        x = step.prev_sample
        if next_sigma > 0:
            x = scheduler.step_correct(
                output(x, next_sigma), sigma_hat, next_sigma, x_hat, x, step.derivative
            ).prev_sample
    return x


def predictor_corrector(case, latents, noise, trajectory):
    steps = case["steps"]
    scheduler = ScoreSdeVeScheduler(
        num_train_timesteps=steps,
        snr=case["snr"],
        sigma_min=case["sigma_min"],
        sigma_max=case["sigma_max"],
        correct_steps=case["corrections"],
    )
    scheduler.set_timesteps(steps)
    scheduler.set_sigmas(steps)

    def score(x, number):
        # The network gets the step that it would be trained with; the scheduler counts in the other direction.
        sigma = scheduler.discrete_sigmas[steps - 1 - number]
        return trajectory.evaluate(x, steps - 1 - number, x / torch.sqrt(1 + sigma**2))

    x = tensor(latents) * scheduler.init_noise_sigma
    for number, t in enumerate(scheduler.timesteps):
        for correction in range(case["corrections"]):
            noise.announce(number, 1 + correction)
            x = scheduler.step_correct(score(x, number), x).prev_sample
        noise.announce(number)
        step = scheduler.step_pred(score(x, number), t, x)
        x = step.prev_sample
    return step.prev_sample_mean


def sampler(case):
    if "scheduler" in case:
        return ddim_as_solver
    samplers = {
        ("ddpm", "vp"): ddpm,
        ("ddim", "vp"): ddim,
        ("dpm-solver++", "vp"): dpm_solver,
        ("dpm-solver++", "edm"): dpm_solver_edm,
        ("edm", "vp"): heun,
        ("edm", "edm"): edm,
        ("predictor-corrector", "ve"): predictor_corrector,
    }
    return samplers[case["sampler"], case["process"]]


def draw(case, latents):
    """The case's trajectory and final images."""
    noise, trajectory = Noise(case), Trajectory(case)
    with contextlib.ExitStack() as stack:
        for module in ("ddpm", "ddim", "dpmsolver_multistep", "sde_ve"):
            stack.enter_context(mock.patch(f"diffusers.schedulers.scheduling_{module}.randn_tensor", noise.draw))
        stack.enter_context(
            mock.patch("diffusers.schedulers.deprecated.scheduling_karras_ve.randn_tensor", noise.draw)
        )
        result = sampler(case)(case, latents[: case["images"]], noise, trajectory)
    return trajectory, array(result)


def write_cases(file, cases, latents):
    for name, settings in cases.items():
        case = DEFAULTS | settings
        with double_precision():
            trajectory, images = draw(case, latents)
            if case["clips"] or case["clips_in_denoiser"]:
                unclipped = draw(case | dict(clips=False, clips_in_denoiser=False), latents)[1]
                assert np.max(np.abs(unclipped - images)) > 0.1, f"{name}: clipping is not exercised"
        single_trajectory, single_images = draw(case, latents)
        assert np.allclose(single_trajectory.times, trajectory.times, rtol=1e-5, atol=1e-2)
        error = np.max(np.abs(single_images - images))
        assert error < SINGLE_TOLERANCE, f"{name}: float32 leads away by {error:.1e}"

        group = file.create_group(f"cases/{name}")
        group["times"] = np.array(trajectory.times)
        group["places"] = np.stack(trajectory.images)
        group["images"], group["images_in_single"] = images, single_images.astype(np.float32)
        largest = max(np.max(np.abs(x)) for x in trajectory.images)
        print(f"  {name}: {len(trajectory.times)} evaluations, x up to {largest:.1f}, float32 within {error:.1e}")


# Visited steps


def write_timesteps(file):
    schedulers = {"ddim": DDIMScheduler, "ddpm": DDPMScheduler, "dpm-solver++": DPMSolverMultistepScheduler}
    for name, scheduler_class in schedulers.items():
        for spacing in ("leading", "trailing", "linspace"):
            group = file.create_group(f"timesteps/{name}/{spacing}")

            def visited(total, count):
                scheduler = scheduler_class(num_train_timesteps=total, timestep_spacing=spacing)
                scheduler.set_timesteps(count)
                return scheduler.timesteps.numpy().astype(np.int32)

            for total, count in STEP_COUNTS:
                group[f"{total}-{count}"] = visited(total, count)
            # A checksum of the steps for every number of steps. `overruns` has the numbers for which there is one step
            # too many: `trailing` uses np.arange, whose end depends on rounding errors.
            steps = {count: visited(1000, count) for count in range(1, 1001)}
            overruns = [count for count in steps if len(steps[count]) == count + 1]
            for count in overruns:
                assert steps[count][-1] == -1
                steps[count] = steps[count][:-1]
            assert all(len(steps[count]) == count for count in steps)
            group["overruns"] = np.array(overruns, np.int32)
            sums = [np.sum(steps[count].astype(np.int64) * np.arange(1, count + 1)) for count in steps]
            group["sums"] = np.array(sums, np.int32)


# Schedules


def write_betas(file):
    """The variances of rescaled schedules, in double precision and unchanged."""
    for name in SCHEDULES:
        options = discrete_options(DEFAULTS | dict(schedule=name, zero_terminal_snr=True))
        with double_precision():
            file[f"betas/{name}"] = DDPMScheduler(**options).betas.numpy()
        file[f"betas_in_single/{name}"] = DDPMScheduler(**options).betas.numpy()


def write(path, cases, latents, write_more):
    with h5py.File(path, "w", libver=("earliest", "v110")) as file:
        config = {
            "seed": SEED,
            "cases": [DEFAULTS | case | {"name": name} for name, case in cases.items()],
            "step_counts": STEP_COUNTS,
            "torch": torch.__version__,
            "diffusers": diffusers.__version__,
        }
        write_text(file, "config", json.dumps(config))
        file["latents"] = latents
        write_cases(file, cases, latents)
        write_more(file)
    print(f"{path.name}: {path.stat().st_size / 1e3:.0f} kB")


def main():
    logging.disable(logging.WARNING)
    check_philox()
    latents = batch_of_normals(LATENTS, SHAPE[0])
    files = {"trajectories.h5": (CASES, write_timesteps), "zero-snr.h5": (ZERO_SNR_CASES, write_betas)}
    for name in sys.argv[1:] or files:
        write(HERE / name, files[name][0], latents, files[name][1])


if __name__ == "__main__":
    main()
