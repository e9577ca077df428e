"""Writes the numbers that the Swift tests compare with, computed by diffusers' UNet2DModel and DDPMScheduler.

    pip install torch diffusers h5py
    python make_fixtures.py

Beside this file: unet-grey.h5, unet-colour.h5, unet-odd.h5, unet-classes.h5, unet-improved.h5 (a forward and a backward pass
each) and unet-names.txt.
In Tests/DiffusionTests/Fixtures: schedule.h5. README.md says what each holds.

Parameters and inputs are not stored: they are a function of their name (`values`), which the Swift tests repeat.
Everything is computed in double precision and rounded once, when it is written.

Layouts. "Ours" is what the files hold: images [N, H, W, C], convolution kernels [kh, kw, in, out], matrices [in, out].
torch has [N, C, H, W], [out, in, kh, kw] and [out, in].
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

NETWORK_FIXTURES = Path(__file__).resolve().parent
DIFFUSION_FIXTURES = NETWORK_FIXTURES.parents[1] / "DiffusionTests" / "Fixtures"

SEED = 1234
GROUPS = 32
EPSILON = 1e-6
TIMESTEPS = [3, 977, 500]  # one per image of the batch

# Tensor numbers. A parameter's is its index in the sorted list of names; the others lie out of its reach.
INPUT = 1_000_000
TARGET = 1_000_001
STEP_SAMPLE = 2_000_000  # + t
STEP_NOISE = 2_100_000  # + t
SKETCH = 3_000_000  # + the parameter's number

# A gradient with more elements than this is stored as its product with SKETCH_WIDTH random vectors, to keep the files
# small: the 3 x 3 kernels with more than 32 x 64 pairs of channels, and no other parameter.
LARGEST_WHOLE_GRADIENT = 32 * 64 * 3 * 3
SKETCH_WIDTH = 8

NETWORKS = {
    "grey": dict(image_channels=1, height=16, width=16, channels=(32, 64), blocks=1, attention_levels=(1,), batch=2),
    "colour": dict(
        image_channels=3, height=16, width=16, channels=(32, 32, 64), blocks=2, attention_levels=(1,), batch=3
    ),
    # At the lower level 6 x 10, which 4 x 4 tiles do not divide.
    "odd": dict(image_channels=3, height=12, width=20, channels=(32, 64), blocks=1, attention_levels=(0,), batch=2),
    # Three classes and none of them; twice the channels, for a variance that is learned.
    "classes": dict(
        image_channels=1, height=8, width=8, channels=(32, 64), blocks=1, attention_levels=(), batch=3,
        classes=(0, 3, 2), class_rows=4, output_channels=2,
    ),
    # Two heads of attention and four, and a time that scales as well as shifts.
    "improved": dict(
        image_channels=3, height=8, width=12, channels=(32, 64), blocks=1, attention_levels=(0, 1), batch=3,
        output_channels=6, head_channels=16, time_conditioning="scale-shift",
    ),
}
CIFAR10 = dict(
    image_channels=3, height=32, width=32, channels=(128, 256, 256, 256), blocks=2, attention_levels=(1,), batch=1
)
CIFAR10_PARAMETER_COUNT = 35_746_307


# Random numbers


def philox4x32_10(counters, key):
    """The Philox4x32-10 block function (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC11).

    counters: uint32 [blocks, 4]; key: two integers. Returns uint32 [blocks, 4].
    """
    c0, c1, c2, c3 = (counters[:, word].astype(np.uint64) for word in range(4))
    k0, k1 = key
    low_word = np.uint64(0xFFFFFFFF)
    for _ in range(10):
        product0 = c0 * np.uint64(0xD2511F53)
        product1 = c2 * np.uint64(0xCD9E8D57)
        c0, c1, c2, c3 = (
            (product1 >> np.uint64(32)) ^ c1 ^ np.uint64(k0),
            product1 & low_word,
            (product0 >> np.uint64(32)) ^ c3 ^ np.uint64(k1),
            product0 & low_word,
        )
        k0 = (k0 + 0x9E3779B9) & 0xFFFFFFFF
        k1 = (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack([c0, c1, c2, c3], axis=1).astype(np.uint32)


def check_philox():
    """Compares with the known-answer vectors that Random123 publishes (kat_vectors)."""
    vectors = [
        ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ]

    def words(text):
        return [int(word, 16) for word in text.split()]

    for counter, key, expected in vectors:
        block = philox4x32_10(np.array([words(counter)], np.uint32), words(key))
        assert block[0].tolist() == words(expected), f"Philox4x32-10 is wrong at counter {counter}"


def uniforms(number, shape):
    """The multiples of 2^-23 in [-1, 1) of tensor `number`, float32, in row-major order of `shape`.

    Element j is word j % 4 of the block at counter (j / 4, number, 0, 0) under the key (SEED, 0). Every operation is
    exact in float32.
    """
    count = math.prod(shape)
    counters = np.zeros(((count + 3) // 4, 4), np.uint32)
    counters[:, 0] = np.arange(len(counters))
    counters[:, 1] = number
    words = philox4x32_10(counters, (SEED, 0)).reshape(-1)[:count]
    u = (words >> np.uint32(8)).astype(np.float32) / np.float32(2**24) * np.float32(2) - np.float32(1)
    return u.reshape(shape)


def values(name, number, shape):
    """A parameter's values in our layout; one float32 rounding per multiplication or addition, none fused."""
    u = uniforms(number, shape)
    if len(shape) > 1:
        fan_in = math.prod(shape[:-1])  # kh kw in, or in
        return u * np.float32(math.sqrt(3 / fan_in))
    if name.endswith(".bias"):
        return u * np.float32(0.1)
    assert "norm" in name and name.endswith(".weight"), f"no rule for the values of {name}"
    return np.float32(1) + np.float32(0.2) * u


# Layouts

TABLE = "class_embedding.weight"


def ours(array, name):
    """A parameter, or its gradient, from torch's layout to ours. A table of rows is the same in both."""
    if name == TABLE:
        return array
    return array.transpose({1: (0,), 2: (1, 0), 4: (2, 3, 1, 0)}[array.ndim])


def torchs(array, name):
    """A parameter from our layout to torch's."""
    if name == TABLE:
        return np.ascontiguousarray(array)
    return np.ascontiguousarray(array.transpose({1: (0,), 2: (1, 0), 4: (3, 2, 0, 1)}[array.ndim]))


def images_to_torch(images):
    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))


def images_from_torch(images):
    return images.detach().numpy().transpose(0, 2, 3, 1)


# Networks


class PreciseTimesteps(torch.nn.Module):
    """The sinusoidal embedding of Ho et al. in double precision: sin(t f_i), then cos(t f_i), for i in 0 ..< half,
    f_i = 10000^(-i / (half - 1)).

    diffusers computes the angles in float32 whatever the model's precision, and at t = 977 is wrong by 3e-5.
    """

    def __init__(self, dimensions):
        super().__init__()
        self.half = dimensions // 2

    def forward(self, timesteps):
        frequencies = torch.exp(-math.log(10000) * torch.arange(self.half, dtype=torch.float64) / (self.half - 1))
        angles = timesteps.double()[:, None] * frequencies[None, :]
        return torch.cat([torch.sin(angles), torch.cos(angles)], dim=1)


def scales(network):
    """Whether the time's embedding scales and shifts what the second norm of a block makes."""
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
        resnet_time_scale_shift="scale_shift" if scales(network) else "default",
        # By default the attention in the middle of such a network has no norm.
        attn_norm_num_groups=GROUPS if scales(network) else None,
        act_fn="silu",
        norm_eps=EPSILON,
        norm_num_groups=GROUPS,
        downsample_padding=0,
        flip_sin_to_cos=False,
        freq_shift=1,
        dropout=0.0,
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
            assert module.time_embedding_norm == ("scale_shift" if scales(network) else "default")
    return model.eval()


def sorted_parameters(model):
    """(name, parameter) in the order of Python's string comparison; the position is the tensor number."""
    return sorted(model.named_parameters())


def parameter_list(model):
    return [[name, list(ours(parameter.detach().numpy(), name).shape)] for name, parameter in sorted_parameters(model)]


def fill(model):
    with torch.no_grad():
        for number, (name, parameter) in enumerate(sorted_parameters(model)):
            shape = ours(parameter.numpy(), name).shape
            parameter.copy_(torch.from_numpy(torchs(values(name, number, shape), name)))


def zero_gradients(model):
    """The parameters that cannot change the output, each with the one whose gradient's norm says how large the rounding
    error of its gradient may be.

    * The key's bias b adds q·b to all of a query's scores, and softmax ignores what is added to all.
    * A group norm with one channel per group ignores what is added to a channel: the first convolution's bias and the
      time projection before such a `norm2` (not one that scales and shifts what it makes), and whatever adds a constant to a channel just before `conv_norm_out`
      (a value's bias reaches every pixel unchanged, as attention's weights add up to 1).
    """
    zeros = {}

    def one_channel_per_group(norm):
        return norm.num_channels == norm.num_groups

    for name, module in model.named_modules():
        if isinstance(module, Attention):
            zeros[f"{name}.to_k.bias"] = f"{name}.to_k.weight"
        if isinstance(module, ResnetBlock2D) and one_channel_per_group(module.norm2):
            added = ("time_emb_proj.weight", "time_emb_proj.bias") if module.time_embedding_norm == "default" else ()
            for parameter in ("conv1.bias", *added):
                zeros[f"{name}.{parameter}"] = f"{name}.conv1.weight"

    if one_channel_per_group(model.conv_norm_out):
        last_block = len(model.up_blocks) - 1
        last_layer = len(model.up_blocks[last_block].resnets) - 1
        resnet = f"up_blocks.{last_block}.resnets.{last_layer}"
        attention = f"up_blocks.{last_block}.attentions.{last_layer}"
        for layer in (f"{resnet}.conv2", f"{resnet}.conv_shortcut", f"{attention}.to_v", f"{attention}.to_out.0"):
            if f"{layer}.bias" in dict(model.named_parameters()):
                zeros[f"{layer}.bias"] = f"{layer}.weight"
    return dict(sorted(zeros.items()))


def run(model, x, target, timesteps, classes):
    """One forward and backward pass in the model's precision: output, loss, gradient of x, gradients by name, all in
    our layout."""
    precision = model.dtype
    x, target = images_to_torch(x).to(precision).requires_grad_(), images_to_torch(target).to(precision)
    model.zero_grad()
    output = model(x, torch.from_numpy(timesteps), class_labels=classes).sample
    loss = torch.mean((output - target) ** 2)
    loss.backward()
    gradients = {name: ours(parameter.grad.numpy().copy(), name) for name, parameter in sorted_parameters(model)}
    return images_from_torch(output), loss.item(), images_from_torch(x.grad), gradients


def norm(array):
    return float(np.linalg.norm(array.astype(np.float64).reshape(-1)))


def write_network(name, network):
    model = build(network)
    fill(model)
    shape = (network["batch"], network["height"], network["width"], network["image_channels"])
    output_channels = network.get("output_channels", network["image_channels"])
    x, target = uniforms(INPUT, shape), uniforms(TARGET, (*shape[:-1], output_channels))
    classes = torch.tensor(network["classes"]) if "classes" in network else None
    timesteps = np.array(TIMESTEPS[: network["batch"]], np.int64)

    # How far float32 strays, for whoever sets a tolerance: with diffusers' own embedding, then with the exact one.
    with torch.no_grad():
        own_embedding = model.time_proj(torch.from_numpy(timesteps))
        own_output = images_from_torch(model(images_to_torch(x), torch.from_numpy(timesteps), class_labels=classes).sample)
    model.time_proj = PreciseTimesteps(network["channels"][0])
    embedding = model.time_proj(torch.from_numpy(timesteps)).numpy()
    embedding_error = np.abs(own_embedding.numpy() - embedding).max()
    assert embedding_error < 1e-3, "the sinusoidal embedding is not diffusers'"
    single = run(model, x, target, timesteps, classes)

    output, loss, gradient_x, gradients = run(model.double(), x, target, timesteps, classes)

    zeros = zero_gradients(model)
    for parameter, reference in zeros.items():
        assert norm(gradients[parameter]) < 1e-12 * norm(gradients[reference]), f"{parameter} should have no gradient"
        gradients[parameter] = np.zeros_like(gradients[parameter])  # what it is, not the rounding error of double
    typical = norm(np.array([norm(gradient) for gradient in gradients.values()]))
    for parameter, gradient in gradients.items():
        assert parameter in zeros or norm(gradient) > 1e-6 * typical, f"{parameter} has no gradient, against theory"

    parameters = parameter_list(model)
    assert [entry[0] for entry in parameters] == list(gradients)
    levels = range(len(network["channels"]))
    config = {
        "in_channels": network["image_channels"],
        "out_channels": output_channels,
        **{key: network[key] for key in ("classes", "class_rows", "head_channels", "time_conditioning") if key in network},
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
    with h5py.File(path, "w", libver=("earliest", "v110")) as file:
        write_text(file, "config", json.dumps(config))
        file.attrs["seed"] = np.int64(SEED)
        file["timesteps"] = timesteps
        file["timestep_embedding"] = embedding.astype(np.float32)
        for dataset, array in [("x", x), ("target", target), ("output", output), ("gradient_x", gradient_x)]:
            file[dataset] = np.ascontiguousarray(array, np.float32)
        file["loss"] = np.array([loss], np.float32)
        probes = [values(*numbered).reshape(-1)[[0, -1]] for numbered in numbered_parameters(parameters)]
        file["parameter_probes"] = np.stack(probes)
        whole, sketches = file.create_group("gradients"), file.create_group("gradient_sketches")
        for parameter, number, shape in numbered_parameters(parameters):
            gradient = gradients[parameter]
            if gradient.size <= LARGEST_WHOLE_GRADIENT:
                whole[parameter] = np.ascontiguousarray(gradient, np.float32)
            else:
                directions = uniforms(SKETCH + number, (shape[-1], SKETCH_WIDTH)).astype(np.float64)
                sketches[parameter] = np.ascontiguousarray(gradient @ directions, np.float32)

    def error_of_single(ours_in_single, truth):
        return norm(ours_in_single - truth) / norm(truth)

    print(f"\n{path.name}: {path.stat().st_size / 1e6:.2f} MB, {sum(math.prod(s) for _, s in parameters):,} parameters")
    print(f"  loss {loss:.9f}; output's norm {norm(output):.6f}, gradient_x's {norm(gradient_x):.6f}")
    print(f"  diffusers' float32 embedding is wrong by {embedding_error:.1e}", end="; ")
    print(f"output with it, in float32, by {error_of_single(own_output, output):.1e}")
    print(
        f"  torch's float32 with the exact embedding: output wrong by {error_of_single(single[0], output):.1e}, "
        f"gradient_x by {error_of_single(single[2], gradient_x):.1e}"
    )
    print("  gradient's norm | relative error of torch's float32 (for a zero: over the reference's norm) | parameter")
    for parameter, number, shape in numbered_parameters(parameters):
        gradient, in_single = gradients[parameter], single[3][parameter]
        if parameter in zeros:
            error, note = norm(in_single) / norm(gradients[zeros[parameter]]), "  zero in theory"
        else:
            error = error_of_single(in_single, gradient)
            note = "  sketched" if gradient.size > LARGEST_WHOLE_GRADIENT else ""
        print(f"  {norm(gradient):.6e}  {error:.1e}  {parameter} {shape}{note}")


def numbered_parameters(parameters):
    return [(name, number, tuple(shape)) for number, (name, shape) in enumerate(parameters)]


def write_text(file, attribute, text):
    """A fixed-length string attribute, which C reads without freeing anything."""
    data = text.encode()
    file.attrs.create(attribute, np.array(data), dtype=h5py.string_dtype("utf-8", len(data)))


def write_names():
    model = build(CIFAR10)
    parameters = parameter_list(model)
    assert sum(math.prod(shape) for _, shape in parameters) == CIFAR10_PARAMETER_COUNT
    lines = [f"{name} {'x'.join(str(size) for size in shape)}\n" for name, shape in parameters]
    (NETWORK_FIXTURES / "unet-names.txt").write_text("".join(lines))
    print(f"\nunet-names.txt: {len(lines)} tensors, {CIFAR10_PARAMETER_COUNT:,} parameters")


# The schedule and single steps of ancestral sampling


def scheduler_step(t, sample, noise_prediction, variance_type, clip_sample, noise, precise_betas=None):
    """DDPMScheduler's x_{t-1} and variance, with `noise` in the place of its random draw: in its own float32, or, given
    `precise_betas`, by the same code in double precision."""
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

    # The scheduler's code in double precision must agree to the last digits. In its own float32 it takes beta_t and
    # 1 - alphas_cumprod as differences of numbers near 1: at t = 1, where the latter is 2.2e-4, that leaves a relative
    # error of 2^-24 / 2.2e-4 = 3e-4 in the mean's two coefficients. At the other times 1e-5 holds.
    double_tolerance = 1e-12

    def single_tolerance(t):
        return 1e-4 if t == 1 else 1e-5

    def assert_close(own, scheduler, tolerance, what):
        worst = float(np.max(np.abs(own - scheduler)))
        assert worst < tolerance, f"{what} differs from the scheduler's by {worst:.1e}"
        return worst

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
            worst_single = worst_double = 0.0

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

            # The variances that the sampler may use: diffusers keeps the small one from vanishing, and adds no noise
            # at t = 0 whatever the variance.
            variances = {"fixed_small": max(posterior_variance, 1e-20), "fixed_large": beta}
            for variance_type, variance in variances.items():
                deviation = math.sqrt(variance) if t > 0 else 0.0
                group = step.create_group(variance_type)
                group["variance"], group["standard_deviation"] = np.array([variance]), np.array([deviation])
                for clip_sample, mean in means.items():
                    for z in (0.0, 1.0, -3.0):
                        own, options = mean + deviation * z, (variance_type, clip_sample, z)
                        what = f"the step at t = {t} with {options}"
                        theirs, their_variance = scheduler_step(t, x_t, noise, *options)
                        worst_single = max(worst_single, assert_close(own, theirs, single_tolerance(t), what))
                        assert_close(variance, their_variance, 1e-6, f"the variance of {what}")
                        theirs, their_variance = scheduler_step(t, x_t, noise, *options, precise_betas=betas)
                        worst_double = max(worst_double, assert_close(own, theirs, double_tolerance, what))
                        assert_close(variance, their_variance, double_tolerance, f"the variance of {what}")
            report.append(f"  t = {t}: DDPMScheduler within {worst_single:.1e}, in double within {worst_double:.1e}")
    print(f"\nschedule.h5: {path.stat().st_size / 1e6:.2f} MB", *report, sep="\n")


if __name__ == "__main__":
    check_philox()
    for name, network in NETWORKS.items():
        write_network(name, network)
    write_names()
    write_schedule()
