"""Shared code of the scripts that compute reference results with PyTorch: random numbers that the Swift tests repeat,
layouts of arrays, exact embeddings, parameters without effect, and files of results.

make_fixtures.py and make_score_sde_fixtures.py beside this file import it, and so do
Tests/DiffusionTests/Fixtures/make_trajectories.py and Tests/Peers/replay_trace.py.

Layouts. "Ours" is what the files hold: images [N, H, W, C], convolution kernels [kh, kw, in, out], matrices [in, out].
torch has [N, C, H, W], [out, in, kh, kw] and [out, in].
"""

import json
import math

import h5py
import numpy as np
import torch
from diffusers.models.attention_processor import Attention
from diffusers.models.resnet import ResnetBlock2D

SEED = 1234

# Options of diffusers' UNet2DModel with the values that our network has.
UNET_OPTIONS = dict(
    act_fn="silu",
    norm_eps=1e-6,
    downsample_padding=0,
    flip_sin_to_cos=False,
    freq_shift=1,
    dropout=0.0,
)

# Tensor numbers. A parameter's is its index in the sorted list of names; the others are larger than any index.
INPUT = 1_000_000
TARGET = 1_000_001
STEP_SAMPLE = 2_000_000  # + t
STEP_NOISE = 2_100_000  # + t
SKETCH = 3_000_000  # + the parameter's number

CLASS_TABLE = "class_embedding.weight"


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
    """Tensor `number`: float32 multiples of 2^-23 in [-1, 1), in row-major order of `shape`.

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


def parameter_values(name, number, shape):
    """A parameter's values in our layout. Each multiplication and addition is rounded to float32; none are fused."""
    u = uniforms(number, shape)
    if len(shape) > 1:
        fan_in = math.prod(shape[:-1])  # kh kw in, or in
        return u * np.float32(math.sqrt(3 / fan_in))
    if name.endswith(".bias"):
        return u * np.float32(0.1)
    assert "norm" in name and name.endswith(".weight"), f"no rule for the values of {name}"
    return np.float32(1) + np.float32(0.2) * u


# Layouts


def parameter_from_torch(array, name):
    """A parameter, or its gradient, from torch's layout to ours. The table of classes is [rows, channels] in both."""
    if name == CLASS_TABLE:
        return array
    return array.transpose({1: (0,), 2: (1, 0), 4: (2, 3, 1, 0)}[array.ndim])


def parameter_to_torch(array, name):
    """A parameter from our layout to torch's."""
    if name == CLASS_TABLE:
        return np.ascontiguousarray(array)
    return np.ascontiguousarray(array.transpose({1: (0,), 2: (1, 0), 4: (3, 2, 0, 1)}[array.ndim]))


def images_to_torch(images):
    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))


def images_from_torch(images):
    return images.detach().numpy().transpose(0, 2, 3, 1)


# Networks


class PreciseTimesteps(torch.nn.Module):
    """The sinusoidal embedding of Ho et al. in double precision: sin(t f_i), then cos(t f_i), for i in 0 ..< half, with
    f_i = 10000^(-i / (half - 1)).

    diffusers computes the angles in float32 whatever the model's precision; at t = 977 the error is 3e-5.
    """

    def __init__(self, dimensions):
        super().__init__()
        self.half = dimensions // 2

    def forward(self, timesteps):
        frequencies = torch.exp(-math.log(10000) * torch.arange(self.half, dtype=torch.float64) / (self.half - 1))
        angles = timesteps.double()[:, None] * frequencies[None, :]
        return torch.cat([torch.sin(angles), torch.cos(angles)], dim=1)


def zero_gradients(model):
    """The parameters that cannot change the output of a UNet2DModel. Each is mapped to a parameter whose gradient has a
    norm that gives the rounding error of its own gradient a scale.

    * The key's bias b adds q·b to all scores of a query, and softmax ignores a constant added to all scores.
    * A group norm with one channel per group ignores a constant added to a channel. So the first convolution's bias and
      the time projection before such a `norm2` have no effect (unless the time scales and shifts the norm's result),
      nor has anything that adds a constant to a channel just before `conv_norm_out`. A value's bias reaches every pixel
      unchanged, since attention's weights add up to 1.
    """
    zeros = {}

    def has_one_channel_per_group(norm):
        return norm.num_channels == norm.num_groups

    for name, module in model.named_modules():
        if isinstance(module, Attention):
            zeros[f"{name}.to_k.bias"] = f"{name}.to_k.weight"
        if isinstance(module, ResnetBlock2D) and has_one_channel_per_group(module.norm2):
            added = ("time_emb_proj.weight", "time_emb_proj.bias") if module.time_embedding_norm == "default" else ()
            for parameter in ("conv1.bias", *added):
                zeros[f"{name}.{parameter}"] = f"{name}.conv1.weight"

    if has_one_channel_per_group(model.conv_norm_out):
        last_block = len(model.up_blocks) - 1
        last_layer = len(model.up_blocks[last_block].resnets) - 1
        resnet = f"up_blocks.{last_block}.resnets.{last_layer}"
        attention = f"up_blocks.{last_block}.attentions.{last_layer}"
        for layer in (f"{resnet}.conv2", f"{resnet}.conv_shortcut", f"{attention}.to_v", f"{attention}.to_out.0"):
            if f"{layer}.bias" in dict(model.named_parameters()):
                zeros[f"{layer}.bias"] = f"{layer}.weight"
    return dict(sorted(zeros.items()))


# Results


def norm(array):
    return float(np.linalg.norm(array.astype(np.float64).reshape(-1)))


def relative_error(array, expected):
    return norm(array - expected) / norm(expected)


def numbered_parameters(parameters):
    """(name, tensor number, shape) of each entry [name, shape] of the sorted list."""
    return [(name, number, tuple(shape)) for number, (name, shape) in enumerate(parameters)]


def write_text(file, attribute, text):
    """Writes a string attribute of fixed length, which C reads without freeing anything."""
    data = text.encode()
    file.attrs.create(attribute, np.array(data), dtype=h5py.string_dtype("utf-8", len(data)))


def write_pass(path, config, times, images, loss, gradients, values, maximum_whole_gradient, sketch_width):
    """Writes the inputs and results of a network's forward and backward pass.

    times, images: datasets by name; images are stored as float32. values: the parameters' values as a function of name,
    number and shape. A gradient with more than maximum_whole_gradient elements is stored as its product with
    sketch_width random vectors, to keep the files small.
    """
    numbered = numbered_parameters(config["parameters"])
    with h5py.File(path, "w", libver=("earliest", "v110")) as file:
        write_text(file, "config", json.dumps(config))
        file.attrs["seed"] = np.int64(SEED)
        for name, array in times.items():
            file[name] = array
        for name, array in images.items():
            file[name] = np.ascontiguousarray(array, np.float32)
        file["loss"] = np.array([loss], np.float32)
        file["parameter_probes"] = np.stack([values(*entry).reshape(-1)[[0, -1]] for entry in numbered])
        whole, sketches = file.create_group("gradients"), file.create_group("gradient_sketches")
        for name, number, shape in numbered:
            gradient = gradients[name]
            if gradient.size <= maximum_whole_gradient:
                whole[name] = np.ascontiguousarray(gradient, np.float32)
            else:
                directions = uniforms(SKETCH + number, (shape[-1], sketch_width)).astype(np.float64)
                sketches[name] = np.ascontiguousarray(gradient @ directions, np.float32)
