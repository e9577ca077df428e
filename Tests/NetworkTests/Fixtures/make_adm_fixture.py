"""Writes the output and gradients of a network of Dhariwal and Nichol (ADM, arXiv:2105.05233), by their public code.

    git clone https://github.com/openai/guided-diffusion
    pip install torch diffusers h5py
    python make_adm_fixture.py guided-diffusion

Beside this file: adm.h5, a forward and a backward pass. README.md describes it. The script also checks the number of
parameters of the published network for images of 64 x 64.

Two things of the public code are replaced, as documented: the sinusoidal embedding, whose frequencies and order are
slightly different from ours, and conversions to float32 inside the network. Norms get our epsilon.
"""

import math
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import torch

from fixture_tools import (
    CLASS_TABLE, INPUT, TARGET, UNET_OPTIONS, PreciseTimesteps, images_from_torch, images_to_torch, norm,
    parameter_from_torch, parameter_to_torch, parameter_values, relative_error, uniforms, write_pass,
)

FOLDER = Path(__file__).resolve().parent

MAXIMUM_WHOLE_GRADIENT = 1024
SKETCH_WIDTH = 2

SIZE, IMAGE_CHANNELS, OUTPUT_CHANNELS = 8, 3, 6
BASE_CHANNELS, MULTIPLIERS, BLOCKS = 32, (1, 2), 1
ATTENTION_RESOLUTIONS, HEAD_CHANNELS = (8, 4), 16
CLASS_COUNT, CLASSES = 5, (4, 0, 4)
TIMESTEPS = [3, 977, 500]

# The flags of the published network for ImageNet at 64 x 64.
PUBLISHED = dict(
    image_size=64, model_channels=192, channel_mult=(1, 2, 3, 4), num_res_blocks=3, attention_resolutions=(2, 4, 8),
    num_classes=1000, num_head_channels=64,
)
PUBLISHED_PARAMETER_COUNT = 295_904_454


def build(**options):
    return unet.UNetModel(
        in_channels=IMAGE_CHANNELS, out_channels=OUTPUT_CHANNELS, dropout=0.1, use_scale_shift_norm=True,
        resblock_updown=True, use_new_attention_order=True, **options,
    ).eval()


def check_published_count():
    with torch.device("meta"):
        count = sum(parameter.numel() for parameter in build(**PUBLISHED).parameters())
    assert count == PUBLISHED_PARAMETER_COUNT, f"the published network has {count:,} parameters"


# Our names


def module_names():
    """(their name, our name) of every layer, residual block and attention."""
    levels = len(MULTIPLIERS)
    attends = [SIZE >> level in ATTENTION_RESOLUTIONS for level in range(levels)]
    yield from (
        ("time_embed.0", "time_embedding.linear_1"), ("time_embed.2", "time_embedding.linear_2"),
        ("label_emb", "class_embedding"), ("input_blocks.0.0", "conv_in"),
    )
    number = 1
    for level in range(levels):
        for block in range(BLOCKS):
            yield f"input_blocks.{number}.0", f"down_blocks.{level}.resnets.{block}"
            if attends[level]:
                yield f"input_blocks.{number}.1", f"down_blocks.{level}.attentions.{block}"
            number += 1
        if level < levels - 1:
            yield f"input_blocks.{number}.0", f"down_blocks.{level}.downsamplers.0"
            number += 1
    for index, name in enumerate(("resnets.0", "attentions.0", "resnets.1")):
        yield f"middle_block.{index}", f"mid_block.{name}"
    number = 0
    for up, level in enumerate(reversed(range(levels))):
        for block in range(BLOCKS + 1):
            parts = [f"resnets.{block}"]
            if attends[level]:
                parts.append(f"attentions.{block}")
            if level > 0 and block == BLOCKS:
                parts.append("upsamplers.0")
            for index, part in enumerate(parts):
                yield f"output_blocks.{number}.{index}", f"up_blocks.{up}.{part}"
            number += 1
    yield from (("out.0", "conv_norm_out"), ("out.2", "conv_out"))


LAYERS = {
    "in_layers.0": "norm1", "in_layers.2": "conv1", "emb_layers.1": "time_emb_proj", "out_layers.0": "norm2",
    "out_layers.3": "conv2", "skip_connection": "conv_shortcut", "norm": "group_norm", "proj_out": "to_out.0",
}


def named_parameters(model):
    """(our name, parameter, its rows), sorted by name; the index is the tensor number. Queries, keys and values are
    rows of one parameter."""
    modules = dict(module_names())
    result = []
    for theirs, parameter in model.named_parameters():
        module = next(name for name in modules if theirs.startswith(f"{name}."))
        *path, leaf = theirs[len(module) + 1 :].split(".")
        layer = ".".join(path)
        if layer == "qkv":
            third = parameter.shape[0] // 3
            for index, part in enumerate(("to_q", "to_k", "to_v")):
                rows = slice(index * third, (index + 1) * third)
                result.append((f"{modules[module]}.{part}.{leaf}", parameter, rows))
        else:
            name = ".".join([modules[module], *([LAYERS[layer]] if path else []), leaf])
            result.append((name, parameter, slice(None)))
    return sorted(result, key=lambda entry: entry[0])


def to_ours(array, name):
    if name == CLASS_TABLE:
        # Our table has a row for no class, which these images do not use.
        return np.concatenate([array, np.zeros_like(array[:1])])
    return parameter_from_torch(array[:, :, 0] if array.ndim == 3 else array, name)


def to_torch(array, name, shape):
    if name == CLASS_TABLE:
        return array[:-1]
    return parameter_to_torch(array, name).reshape(shape)


def write():
    torch.manual_seed(0)
    model = build(
        image_size=SIZE, model_channels=BASE_CHANNELS, channel_mult=MULTIPLIERS, num_res_blocks=BLOCKS,
        attention_resolutions=tuple(SIZE // resolution for resolution in ATTENTION_RESOLUTIONS),
        num_classes=CLASS_COUNT, num_head_channels=HEAD_CHANNELS)
    for module in model.modules():
        if isinstance(module, torch.nn.GroupNorm):
            module.eps = UNET_OPTIONS["norm_eps"]
    entries = named_parameters(model)
    shapes = {name: to_ours(parameter[rows].detach().numpy(), name).shape for name, parameter, rows in entries}
    with torch.no_grad():
        for number, (name, parameter, rows) in enumerate(entries):
            values = to_torch(parameter_values(name, number, shapes[name]), name, parameter[rows].shape)
            parameter[rows] = torch.from_numpy(np.ascontiguousarray(values))

    timesteps = np.array(TIMESTEPS, np.int64)
    shape = (len(TIMESTEPS), SIZE, SIZE)
    x, target = uniforms(INPUT, (*shape, IMAGE_CHANNELS)), uniforms(TARGET, (*shape, OUTPUT_CHANNELS))

    def run(precision):
        model.to(precision).zero_grad()
        model.dtype = precision
        image = images_to_torch(x).to(precision).requires_grad_()
        with mock.patch.object(torch.Tensor, "float", lambda tensor: tensor):
            output = model(image, torch.from_numpy(timesteps), torch.tensor(CLASSES))
            loss = torch.mean((output - images_to_torch(target).to(precision)) ** 2)
            loss.backward()
        gradients = {name: to_ours(parameter.grad[rows].numpy().copy(), name) for name, parameter, rows in entries}
        return images_from_torch(output), loss.item(), images_from_torch(image.grad), gradients

    unet.timestep_embedding = lambda times, channels: PreciseTimesteps(channels)(times).to(model.dtype)
    single = run(torch.float32)
    output, loss, gradient_x, gradients = run(torch.float64)

    zeros = zero_gradients(gradients)
    for parameter, reference in zeros.items():
        assert norm(gradients[parameter]) < 1e-12 * norm(gradients[reference]), f"{parameter} should have no gradient"
        gradients[parameter] = np.zeros_like(gradients[parameter])
    for parameter, gradient in gradients.items():
        assert parameter in zeros or norm(gradient) > 0, f"{parameter} has no gradient"

    config = {
        "in_channels": IMAGE_CHANNELS,
        "out_channels": OUTPUT_CHANNELS,
        "height": SIZE,
        "width": SIZE,
        "channels": [BASE_CHANNELS * multiplier for multiplier in MULTIPLIERS],
        "channel_multipliers": MULTIPLIERS,
        "blocks": BLOCKS,
        "attention_resolutions": ATTENTION_RESOLUTIONS,
        "classes": CLASSES,
        "class_rows": CLASS_COUNT + 1,
        "head_channels": HEAD_CHANNELS,
        "time_conditioning": "scale-shift",
        "block": "adm",
        "parameters": [[name, list(shapes[name])] for name, *_ in entries],
        "zero_gradients": zeros,
        "torch": torch.__version__,
    }
    path = FOLDER / "adm.h5"
    images = {"x": x, "target": target, "output": output, "gradient_x": gradient_x}
    write_pass(
        path, config, {"timesteps": timesteps}, images, loss, gradients, parameter_values, MAXIMUM_WHOLE_GRADIENT,
        SKETCH_WIDTH)

    count = sum(math.prod(shape) for shape in shapes.values())
    print(f"{path.name}: {path.stat().st_size / 1e3:.0f} kB, {count:,} parameters")
    print(f"  torch's float32: output wrong by {relative_error(single[0], output):.1e}, "
          f"gradient_x by {relative_error(single[2], gradient_x):.1e}")


def zero_gradients(gradients):
    """As in `fixture_tools`: a key's bias; and at 32 channels, one for each group, whatever adds a constant to a channel
    before a norm. Each is mapped to the parameter that gives its rounding errors a scale."""
    biases = [name for name in gradients if name.endswith(".to_k.bias")]
    biases += [
        name for name, gradient in gradients.items() if name.endswith(".conv1.bias") and gradient.size == BASE_CHANNELS]
    last = f"up_blocks.{len(MULTIPLIERS) - 1}"
    layers = ("resnets.{}.conv2", "resnets.{}.conv_shortcut", "attentions.{}.to_v", "attentions.{}.to_out.0")
    biases += [f"{last}.{layer.format(BLOCKS)}.bias" for layer in layers]
    return {name: name.replace("bias", "weight") for name in sorted(biases)}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("expected the folder of a clone of https://github.com/openai/guided-diffusion")
    sys.path.insert(0, sys.argv[1])
    from guided_diffusion import unet

    check_published_count()
    write()
