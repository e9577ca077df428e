"""Writes the numbers that the Swift tests compare with, computed by diffusers' UNet2DModel and DDPMScheduler.

    pip install torch diffusers h5py
    python make_fixtures.py

Beside this file: unet-grey.h5, unet-colour.h5, unet-odd.h5, unet-classes.h5, unet-improved.h5 (a forward and a backward
pass each) and unet-names.txt. In Tests/DiffusionTests/Fixtures: schedule.h5. README.md describes them.

Parameters and inputs are not stored: they are functions of their tensor numbers (`fixture_tools`), which the Swift
tests repeat. Everything is computed in double precision and rounded once, when it is written.
"""

import json
import math
from pathlib import Path
from unittest import mock

import diffusers
import h5py
import numpy as np
import torch
from diffusers import DDPMScheduler, UNet2DModel
from diffusers.models.attention_processor import Attention
from diffusers.models.resnet import ResnetBlock2D

from fixture_tools import (
    INPUT, SEED, STEP_NOISE, STEP_SAMPLE, TARGET, UNET_OPTIONS, PreciseTimesteps, check_philox, images_from_torch,
    images_to_torch, norm, numbered_parameters, parameter_from_torch, parameter_to_torch, parameter_values,
    relative_error, uniforms, write_pass, write_text, zero_gradients,
)

NETWORK_FIXTURES = Path(__file__).resolve().parent
DIFFUSION_FIXTURES = NETWORK_FIXTURES.parents[1] / "DiffusionTests" / "Fixtures"

GROUPS = 32
EPSILON = UNET_OPTIONS["norm_eps"]
TIMESTEPS = [3, 977, 500]  # one per image of the batch

# Larger gradients are those of the 3 x 3 kernels with more than 32 x 64 pairs of channels, and of no other parameter.
MAXIMUM_WHOLE_GRADIENT = 32 * 64 * 3 * 3
SKETCH_WIDTH = 8

NETWORKS = {
    "grey": dict(image_channels=1, height=16, width=16, channels=(32, 64), blocks=1, attention_levels=(1,), batch=2),
    "colour": dict(
        image_channels=3, height=16, width=16, channels=(32, 32, 64), blocks=2, attention_levels=(1,), batch=3
    ),
    # 6 x 10 at the lower level, which is not a multiple of 4 x 4 tiles.
    "odd": dict(image_channels=3, height=12, width=20, channels=(32, 64), blocks=1, attention_levels=(0,), batch=2),
    # Three classes and "no class"; twice the output channels, for a learned variance.
    "classes": dict(
        image_channels=1, height=8, width=8, channels=(32, 64), blocks=1, attention_levels=(), batch=3,
        classes=(0, 3, 2), class_rows=4, output_channels=2,
    ),
    # Attention with two and with four heads; the time scales as well as shifts.
    "improved": dict(
        image_channels=3, height=8, width=12, channels=(32, 64), blocks=1, attention_levels=(0, 1), batch=3,
        output_channels=6, head_channels=16, time_conditioning="scale-shift",
    ),
}
OPTIONAL_SETTINGS = ("classes", "class_rows", "head_channels", "time_conditioning")
CIFAR10 = dict(
    image_channels=3, height=32, width=32, channels=(128, 256, 256, 256), blocks=2, attention_levels=(1,), batch=1
)
CIFAR10_PARAMETER_COUNT = 35_746_307


# Networks


def time_scales(network):
    """Whether the time embedding scales and shifts the result of each block's second norm."""
    return network.get("time_conditioning") == "scale-shift"


def build(network):
    levels = range(len(network["channels"]))
    attends = [level in network["attention_levels"] for level in levels]
    model = UNet2DModel(
        sample_size=(network["height"], network["width"]),
        in_channels=network["image_channels"],
        out_channels=network.get("output_channels", network["image_channels"]),
        num_class_embeds=network.get("class_rows"),
        block_out_channels=network["channels"],
        layers_per_block=network["blocks"],
        down_block_types=tuple("AttnDownBlock2D" if attends[level] else "DownBlock2D" for level in levels),
        up_block_types=tuple("AttnUpBlock2D" if attends[level] else "UpBlock2D" for level in reversed(levels)),
        attention_head_dim=network.get("head_channels"),
        resnet_time_scale_shift="scale_shift" if time_scales(network) else "default",
        # By default, the attention in the middle of such a network has no norm.
        attn_norm_num_groups=GROUPS if time_scales(network) else None,
        norm_num_groups=GROUPS,
        **UNET_OPTIONS,
    )
    for name, module in model.named_modules():
        if isinstance(module, Attention):
            channels = module.to_q.in_features
            head_channels = network.get("head_channels", channels)
            assert module.heads == channels // head_channels, f"{name} has {module.heads} heads"
            assert module.group_norm.eps == EPSILON and module.residual_connection
            assert module.rescale_output_factor == 1 and math.isclose(module.scale, head_channels**-0.5)
        if isinstance(module, torch.nn.GroupNorm):
            assert module.num_groups == GROUPS and module.eps == EPSILON
        if isinstance(module, ResnetBlock2D):
            assert module.output_scale_factor == 1 and not module.skip_time_act
            assert module.time_embedding_norm == ("scale_shift" if time_scales(network) else "default")
    return model.eval()


def sorted_parameters(model):
    """(name, parameter) in the order of Python's string comparison; the index is the tensor number."""
    return sorted(model.named_parameters())


def parameter_list(model):
    return [
        [name, list(parameter_from_torch(parameter.detach().numpy(), name).shape)]
        for name, parameter in sorted_parameters(model)
    ]


def fill(model):
    with torch.no_grad():
        for number, (name, parameter) in enumerate(sorted_parameters(model)):
            shape = parameter_from_torch(parameter.numpy(), name).shape
            parameter.copy_(torch.from_numpy(parameter_to_torch(parameter_values(name, number, shape), name)))


def run(model, x, target, timesteps, classes):
    """One forward and backward pass in the model's precision: output, loss, gradient of x, gradients by name, all in
    our layout."""
    precision = model.dtype
    x, target = images_to_torch(x).to(precision).requires_grad_(), images_to_torch(target).to(precision)
    model.zero_grad()
    output = model(x, torch.from_numpy(timesteps), class_labels=classes).sample
    loss = torch.mean((output - target) ** 2)
    loss.backward()
    gradients = {
        name: parameter_from_torch(parameter.grad.numpy().copy(), name) for name, parameter in sorted_parameters(model)
    }
    return images_from_torch(output), loss.item(), images_from_torch(x.grad), gradients


def write_network(name, network):
    model = build(network)
    fill(model)
    shape = (network["batch"], network["height"], network["width"], network["image_channels"])
    output_channels = network.get("output_channels", network["image_channels"])
    x, target = uniforms(INPUT, shape), uniforms(TARGET, (*shape[:-1], output_channels))
    classes = torch.tensor(network["classes"]) if "classes" in network else None
    timesteps = np.array(TIMESTEPS[: network["batch"]], np.int64)

    # The errors of float32, as a guide for tolerances: with diffusers' own embedding, then with the exact one.
    with torch.no_grad():
        own_embedding = model.time_proj(torch.from_numpy(timesteps))
        own_output = model(images_to_torch(x), torch.from_numpy(timesteps), class_labels=classes).sample
        own_output = images_from_torch(own_output)
    model.time_proj = PreciseTimesteps(network["channels"][0])
    embedding = model.time_proj(torch.from_numpy(timesteps)).numpy()
    embedding_error = np.abs(own_embedding.numpy() - embedding).max()
    assert embedding_error < 1e-3, "the sinusoidal embedding is not diffusers'"
    single = run(model, x, target, timesteps, classes)

    output, loss, gradient_x, gradients = run(model.double(), x, target, timesteps, classes)

    zeros = zero_gradients(model)
    for parameter, reference in zeros.items():
        assert norm(gradients[parameter]) < 1e-12 * norm(gradients[reference]), f"{parameter} should have no gradient"
        gradients[parameter] = np.zeros_like(gradients[parameter])  # the exact value instead of rounding errors
    typical = norm(np.array([norm(gradient) for gradient in gradients.values()]))
    for parameter, gradient in gradients.items():
        assert parameter in zeros or norm(gradient) > 1e-6 * typical, f"{parameter} has no gradient, against theory"

    parameters = parameter_list(model)
    assert [entry[0] for entry in parameters] == list(gradients)
    levels = range(len(network["channels"]))
    config = {
        "in_channels": network["image_channels"],
        "out_channels": output_channels,
        **{key: network[key] for key in OPTIONAL_SETTINGS if key in network},
        "height": network["height"],
        "width": network["width"],
        "batch": network["batch"],
        "channels": network["channels"],
        "channel_multipliers": [channels // network["channels"][0] for channels in network["channels"]],
        "blocks": network["blocks"],
        "attention_levels": network["attention_levels"],
        "attention_resolutions": [network["height"] >> level for level in network["attention_levels"]],
        "level_sizes": [[network["height"] >> level, network["width"] >> level] for level in levels],
        "norm_groups": GROUPS,
        "norm_epsilon": EPSILON,
        "sketch_width": SKETCH_WIDTH,
        "parameters": parameters,
        "zero_gradients": zeros,
        "torch": torch.__version__,
        "diffusers": diffusers.__version__,
    }

    path = NETWORK_FIXTURES / f"unet-{name}.h5"
    times = {"timesteps": timesteps, "timestep_embedding": embedding.astype(np.float32)}
    images = {"x": x, "target": target, "output": output, "gradient_x": gradient_x}
    write_pass(
        path, config, times, images, loss, gradients, parameter_values, MAXIMUM_WHOLE_GRADIENT, SKETCH_WIDTH)

    print(f"\n{path.name}: {path.stat().st_size / 1e6:.2f} MB, {sum(math.prod(s) for _, s in parameters):,} parameters")
    print(f"  loss {loss:.9f}; output's norm {norm(output):.6f}, gradient_x's {norm(gradient_x):.6f}")
    print(f"  diffusers' float32 embedding is wrong by {embedding_error:.1e}", end="; ")
    print(f"output with it, in float32, by {relative_error(own_output, output):.1e}")
    print(
        f"  torch's float32 with the exact embedding: output wrong by {relative_error(single[0], output):.1e}, "
        f"gradient_x by {relative_error(single[2], gradient_x):.1e}"
    )
    print("  gradient's norm | relative error of torch's float32 (for a zero: over the reference's norm) | parameter")
    for parameter, number, shape in numbered_parameters(parameters):
        gradient, in_single = gradients[parameter], single[3][parameter]
        if parameter in zeros:
            error, note = norm(in_single) / norm(gradients[zeros[parameter]]), "  zero in theory"
        else:
            error = relative_error(in_single, gradient)
            note = "  sketched" if gradient.size > MAXIMUM_WHOLE_GRADIENT else ""
        print(f"  {norm(gradient):.6e}  {error:.1e}  {parameter} {shape}{note}")


def write_names():
    model = build(CIFAR10)
    parameters = parameter_list(model)
    assert sum(math.prod(shape) for _, shape in parameters) == CIFAR10_PARAMETER_COUNT
    lines = [f"{name} {'x'.join(str(size) for size in shape)}\n" for name, shape in parameters]
    (NETWORK_FIXTURES / "unet-names.txt").write_text("".join(lines))
    print(f"\nunet-names.txt: {len(lines)} tensors, {CIFAR10_PARAMETER_COUNT:,} parameters")


# The schedule and single steps of ancestral sampling


def scheduler_step(t, sample, noise_prediction, variance_type, clip_sample, noise, precise_betas=None):
    """x_{t-1} and its variance by DDPMScheduler, with `noise` instead of its random draw: in its own float32 or, if
    there are `precise_betas`, by the same code in double precision."""
    scheduler = DDPMScheduler(
        num_train_timesteps=1000,
        beta_start=1e-4,
        beta_end=0.02,
        beta_schedule="linear",
        variance_type=variance_type,
        clip_sample=clip_sample,
    )
    sample, noise_prediction = images_to_torch(sample), images_to_torch(noise_prediction)
    if precise_betas is not None:
        sample, noise_prediction = sample.double(), noise_prediction.double()
        scheduler.betas = torch.from_numpy(precise_betas)
        scheduler.alphas_cumprod = torch.cumprod(1 - scheduler.betas, dim=0)

    def given_noise(shape, dtype, **_):
        return torch.full(shape, noise, dtype=dtype)

    with mock.patch("diffusers.schedulers.scheduling_ddpm.randn_tensor", given_noise):
        previous = scheduler.step(noise_prediction, t, sample).prev_sample
    return images_from_torch(previous).astype(np.float64), float(scheduler._get_variance(t))


def write_schedule():
    betas = np.linspace(1e-4, 0.02, 1000)
    alphas_cumprod = np.cumprod(1 - betas)

    # In double precision, the scheduler's code must agree to the last digits. In its own float32, it computes beta_t
    # and 1 - alphas_cumprod as differences of numbers near 1. At t = 1, where the latter is 2.2e-4, this causes a
    # relative error of 2^-24 / 2.2e-4 = 3e-4 in the mean's two coefficients. At other times it is below 1e-5.
    double_tolerance = 1e-12

    def single_tolerance(t):
        return 1e-4 if t == 1 else 1e-5

    def assert_close(ours, theirs, tolerance, what):
        """Returns the largest difference."""
        error = float(np.max(np.abs(ours - theirs)))
        assert error < tolerance, f"{what} differs from the scheduler's by {error:.1e}"
        return error

    scheduler = DDPMScheduler(num_train_timesteps=1000, beta_start=1e-4, beta_end=0.02, beta_schedule="linear")
    assert_close(betas, scheduler.betas.numpy(), 1e-8, "betas")
    assert_close(alphas_cumprod, scheduler.alphas_cumprod.numpy(), 1e-6, "alphas_cumprod")

    DIFFUSION_FIXTURES.mkdir(parents=True, exist_ok=True)
    path = DIFFUSION_FIXTURES / "schedule.h5"
    report = []
    with h5py.File(path, "w", libver=("earliest", "v110")) as file:
        config = {
            "timesteps": 1000,
            "schedule": "linear",
            "beta_start": 1e-4,
            "beta_end": 0.02,
            "clip_range": 1.0,
            "diffusers": diffusers.__version__,
        }
        write_text(file, "config", json.dumps(config))
        file.attrs["seed"] = np.int64(SEED)
        file["betas"], file["alphas_cumprod"] = betas, alphas_cumprod

        for t in (999, 500, 1, 0):
            x_t, noise = uniforms(STEP_SAMPLE + t, (1, 4, 4, 1)), uniforms(STEP_NOISE + t, (1, 4, 4, 1))
            step = file.create_group(f"steps/{t}")
            step["x_t"], step["noise_prediction"] = x_t, noise
            single_error = double_error = 0.0

            # Ho et al., equations 7 and 15.
            x, epsilon = x_t.astype(np.float64), noise.astype(np.float64)
            beta, product = betas[t], alphas_cumprod[t]
            previous_product = alphas_cumprod[t - 1] if t > 0 else 1.0
            posterior_variance = beta * (1 - previous_product) / (1 - product)
            x_0 = (x - math.sqrt(1 - product) * epsilon) / math.sqrt(product)
            clipped = np.clip(x_0, -1, 1)
            if t == 500:
                assert 0 < np.count_nonzero(clipped != x_0) < x_0.size, "clipping is not exercised"

            def posterior_mean(x_0):
                return (
                    math.sqrt(previous_product) * beta / (1 - product) * x_0
                    + math.sqrt(1 - beta) * (1 - previous_product) / (1 - product) * x
                )

            means = {True: posterior_mean(clipped), False: posterior_mean(x_0)}
            step["mean_clipped"], step["mean_unclipped"] = means[True], means[False]
            step["posterior_variance"] = np.array([posterior_variance])

            # The sampler's two variances. diffusers has a lower bound for the small one, and adds no noise at t = 0,
            # whatever the variance.
            variances = {"fixed_small": max(posterior_variance, 1e-20), "fixed_large": beta}
            for variance_type, variance in variances.items():
                standard_deviation = math.sqrt(variance) if t > 0 else 0.0
                group = step.create_group(variance_type)
                group["variance"] = np.array([variance])
                group["standard_deviation"] = np.array([standard_deviation])
                for clip_sample, mean in means.items():
                    for z in (0.0, 1.0, -3.0):
                        ours, options = mean + standard_deviation * z, (variance_type, clip_sample, z)
                        what = f"the step at t = {t} with {options}"
                        theirs, their_variance = scheduler_step(t, x_t, noise, *options)
                        single_error = max(single_error, assert_close(ours, theirs, single_tolerance(t), what))
                        assert_close(variance, their_variance, 1e-6, f"the variance of {what}")
                        theirs, their_variance = scheduler_step(t, x_t, noise, *options, precise_betas=betas)
                        double_error = max(double_error, assert_close(ours, theirs, double_tolerance, what))
                        assert_close(variance, their_variance, double_tolerance, f"the variance of {what}")
            report.append(f"  t = {t}: DDPMScheduler within {single_error:.1e}, in double within {double_error:.1e}")
    print(f"\nschedule.h5: {path.stat().st_size / 1e6:.2f} MB", *report, sep="\n")


def main():
    check_philox()
    for name, network in NETWORKS.items():
        write_network(name, network)
    write_names()
    write_schedule()


if __name__ == "__main__":
    main()
