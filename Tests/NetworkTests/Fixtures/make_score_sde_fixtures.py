"""Writes the outputs and gradients of the networks of Song et al. (arXiv:2011.13456), by their public PyTorch code.

    git clone https://github.com/yang-song/score_sde_pytorch
    pip install torch diffusers h5py
    python make_score_sde_fixtures.py score_sde_pytorch

Beside this file: score-sde-*.h5, a forward and a backward pass each. README.md describes them.

Only the folder models/ of the public code is used. Two of its functions are written anew here, as documented:

* upfirdn2d, since importing its module compiles CUDA code;
* upsample_conv_2d, since PyTorch cannot run it: it has a stride of four numbers and a slice with a negative step, left
  over from TensorFlow.

The sinusoidal embedding is computed in double precision, like everything else here, and compared with theirs.
"""

import math
import sys
import types
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from fixture_tools import (
    INPUT, TARGET, PreciseTimesteps, images_from_torch, images_to_torch, norm, parameter_values, relative_error,
    uniforms, write_pass,
)

FOLDER = Path(__file__).resolve().parent

MAXIMUM_WHOLE_GRADIENT = 512
SKETCH_WIDTH = 2

FOURIER_SCALE = 16
SINUSOIDAL_TIMES = [0.37 * 999, 999.0]
NOISE_LEVELS = [0.02, 31.0]

# The public code's names of options, and ours.
CHOICES = {
    "none": "none",
    "input_skip": "input-skip",
    "output_skip": "output-skip",
    "residual": "residual",
    "positional": "sinusoidal",
    "fourier": "fourier",
}

NETWORKS = {
    # configs/vp/cifar10_ddpmpp_continuous.py, smaller.
    "ddpmpp": dict(
        ch_mult=(1, 2, 2), num_res_blocks=2, resblock_type="biggan", fir=False, skip_rescale=True,
        embedding_type="positional", progressive="none", progressive_input="none", progressive_combine="sum",
        scale_by_sigma=False,
    ),
    # configs/ve/cifar10_ncsnpp_continuous.py, smaller.
    "ncsnpp": dict(
        ch_mult=(1, 2, 2), num_res_blocks=1, resblock_type="biggan", fir=True, skip_rescale=True,
        embedding_type="fourier", progressive="none", progressive_input="residual", progressive_combine="sum",
        scale_by_sigma=True,
    ),
    # configs/ve/ffhq_ncsnpp_continuous.py, smaller.
    "skips": dict(
        ch_mult=(1, 1, 2), num_res_blocks=1, resblock_type="biggan", fir=True, skip_rescale=True,
        embedding_type="fourier", progressive="output_skip", progressive_input="input_skip",
        progressive_combine="sum", scale_by_sigma=True,
    ),
    # Options that none of these has.
    "smooth-convolutions": dict(
        ch_mult=(1, 2, 2), num_res_blocks=1, resblock_type="ddpm", fir=True, skip_rescale=True,
        embedding_type="positional", progressive="residual", progressive_input="input_skip",
        progressive_combine="cat", scale_by_sigma=False,
    ),
    "plain-convolutions": dict(
        ch_mult=(2, 1), num_res_blocks=1, resblock_type="ddpm", fir=False, skip_rescale=False,
        embedding_type="positional", progressive="residual", progressive_input="residual",
        progressive_combine="sum", scale_by_sigma=False,
    ),
    "plain-skips": dict(
        ch_mult=(1, 2), num_res_blocks=1, resblock_type="biggan", fir=False, skip_rescale=False,
        embedding_type="fourier", progressive="output_skip", progressive_input="input_skip",
        progressive_combine="cat", scale_by_sigma=False,
    ),
}
SIZE, IMAGE_CHANNELS, BASE_CHANNELS = 8, 3, 16
ATTENTION_RESOLUTIONS = (4,)


# Functions of the public code that are written anew


def upfirdn2d(x, kernel, up=1, down=1, pad=(0, 0)):
    """Inserts zeros between and around the pixels, convolves with the kernel, and keeps every down-th pixel."""
    count, channels, height, width = x.shape
    padded = x.new_zeros(count, channels, height, up, width, up)
    padded[:, :, :, 0, :, 0] = x
    padded = F.pad(padded.reshape(count, channels, height * up, width * up), (*pad, *pad))
    flipped = kernel.to(x).flip(0, 1)[None, None].repeat(channels, 1, 1, 1)
    return F.conv2d(padded, flipped, groups=channels)[:, :, ::down, ::down]


def upsample_conv_2d(x, w, k=None, factor=2, gain=1):
    """A transposed convolution with stride `factor` and the flipped kernel, followed by the filter k."""
    kernel = sampling._setup_kernel(k) * (gain * factor**2)
    p = (kernel.shape[0] - factor) - (w.shape[3] - 1)
    y = F.conv_transpose2d(x, w.flip(2, 3).transpose(0, 1), stride=factor)
    return upfirdn2d(y, torch.tensor(kernel), pad=((p + 1) // 2 + factor - 1, p // 2 + 1))


def precise_timestep_embedding(timesteps, dimension, max_positions=10000):
    assert max_positions == 10000
    return PreciseTimesteps(dimension)(timesteps)


def import_models(folder):
    """models.ncsnpp and models.up_or_down_sampling of the public code."""
    op = types.ModuleType("op")
    op.upfirdn2d = upfirdn2d
    sys.modules["op"] = op
    sys.path.insert(0, str(folder))
    from models import layers, ncsnpp, up_or_down_sampling

    up_or_down_sampling.upsample_conv_2d = upsample_conv_2d
    times = torch.tensor(SINUSOIDAL_TIMES)
    theirs = layers.get_timestep_embedding(times, BASE_CHANNELS)
    error = (theirs - precise_timestep_embedding(times, BASE_CHANNELS)).abs().max()
    assert error < 1e-3, "the sinusoidal embedding is not that of the public code"
    layers.get_timestep_embedding = precise_timestep_embedding
    return ncsnpp, up_or_down_sampling


def build(network):
    namespace = types.SimpleNamespace
    model = namespace(
        nf=BASE_CHANNELS, attn_resolutions=ATTENTION_RESOLUTIONS, dropout=0.1, resamp_with_conv=True, conditional=True,
        fir_kernel=[1, 3, 3, 1], init_scale=0.0, fourier_scale=FOURIER_SCALE, nonlinearity="swish", sigma_min=0.01,
        sigma_max=50, num_scales=1000, **network,
    )
    data = namespace(image_size=SIZE, num_channels=IMAGE_CHANNELS, centered=True)
    return ncsnpp.NCSNpp(namespace(model=model, data=data, training=namespace(continuous=True))).eval()


# Our names


def module_names(network):
    """Our names of the modules in `all_modules`, in order; None for a module without parameters."""
    is_biggan = network["resblock_type"] == "biggan"
    levels = len(network["ch_mult"])
    attends = [SIZE >> level in ATTENTION_RESOLUTIONS for level in range(levels)]
    if network["embedding_type"] == "fourier":
        yield "time_proj"
    yield from ("time_embedding.linear_1", "time_embedding.linear_2", "conv_in")
    for level in range(levels):
        name = f"down_blocks.{level}"
        for block in range(network["num_res_blocks"]):
            yield f"{name}.resnets.{block}"
            if attends[level]:
                yield f"{name}.attentions.{block}"
        if level < levels - 1:
            yield f"{name}.downsamplers.0" + ("" if is_biggan else ".conv")
            if network["progressive_input"] == "input_skip":
                yield None
            if network["progressive_input"] != "none":
                yield f"{name}.skip_conv"
    yield from ("mid_block.resnets.0", "mid_block.attentions.0", "mid_block.resnets.1")
    for up in range(levels):
        name = f"up_blocks.{up}"
        for block in range(network["num_res_blocks"] + 1):
            yield f"{name}.resnets.{block}"
        if attends[levels - 1 - up]:
            yield f"{name}.attentions.0"
        if network["progressive"] == "output_skip":
            if up > 0:
                yield None
            yield from (f"{name}.skip_norm", f"{name}.skip_conv")
        if network["progressive"] == "residual":
            if up == 0:
                yield f"{name}.skip_norm"
            yield f"{name}.skip_conv"
        if up < levels - 1:
            yield f"{name}.upsamplers.0" + ("" if is_biggan else ".conv")
    if network["progressive"] != "output_skip":
        yield from ("conv_norm_out", "conv_out")


BLOCK = dict(
    GroupNorm_0="norm1", Conv_0="conv1", Dense_0="time_emb_proj", GroupNorm_1="norm2", Conv_1="conv2",
    Conv_2="conv_shortcut", NIN_0="conv_shortcut",
)
ATTENTION = dict(GroupNorm_0="group_norm", NIN_0="to_q", NIN_1="to_k", NIN_2="to_v", NIN_3="to_out.0")


def our_parameter(module, module_name, parameter_name):
    """Our name of a module's parameter, the permutation from the public code's axes to ours (None for the usual one),
    and the axes of length 1 in front of them."""
    *path, leaf = parameter_name.split(".")
    kind = type(module).__name__
    if kind.startswith("ResnetBlock"):
        path = [BLOCK[path[0]]]
    elif kind == "AttnBlockpp":
        path = [ATTENTION[path[0]]]
    else:
        path = []  # a wrapped layer
    name = ".".join([module_name, *path, {"W": "weight", "b": "bias"}.get(leaf, leaf)])
    if leaf == "W" and kind != "GaussianFourierProjection":
        return name, (0, 1), (1, 1) if "conv_shortcut" in name else ()
    return name, None, ()


def to_ours(array, axes, front):
    axes = axes or {1: (0,), 2: (1, 0), 4: (2, 3, 1, 0)}[array.ndim]
    return array.transpose(axes).reshape(*front, *(array.shape[axis] for axis in axes))


def to_torch(array, axes, front):
    array = array.reshape(array.shape[len(front) :])
    axes = axes or {1: (0,), 2: (1, 0), 4: (3, 2, 0, 1)}[array.ndim]
    return np.ascontiguousarray(array.transpose(axes))


def named_parameters(model, network):
    """(our name, parameter, axes, front), sorted by name; the index is the tensor number."""
    names = list(module_names(network))
    assert len(names) == len(model.all_modules)
    result = []
    for name, module in zip(names, model.all_modules):
        for parameter_name, parameter in module.named_parameters():
            ours, axes, front = our_parameter(module, name, parameter_name)
            result.append((ours, parameter, axes, front))
    return sorted(result, key=lambda entry: entry[0])


def values(name, number, shape):
    if name == "time_proj.weight":
        return uniforms(number, shape) * np.float32(FOURIER_SCALE)
    return parameter_values(name, number, shape)


def write(name, network):
    torch.manual_seed(0)
    model = build(network)
    entries = named_parameters(model, network)
    with torch.no_grad():
        for number, (ours, parameter, axes, front) in enumerate(entries):
            shape = to_ours(parameter.numpy(), axes, front).shape
            parameter.copy_(torch.from_numpy(to_torch(values(ours, number, shape), axes, front)))

    is_fourier = network["embedding_type"] == "fourier"
    times = np.log(NOISE_LEVELS).astype(np.float32) if is_fourier else np.array(SINUSOIDAL_TIMES, np.float32)
    shape = (len(times), SIZE, SIZE, IMAGE_CHANNELS)
    x, target = uniforms(INPUT, shape), uniforms(TARGET, shape)

    def run(precision):
        model.to(precision).zero_grad()
        time = torch.from_numpy(times).to(precision)
        image = images_to_torch(x).to(precision).requires_grad_()
        output = model(image, time.exp() if is_fourier else time)
        loss = torch.mean((output - images_to_torch(target).to(precision)) ** 2)
        loss.backward()
        gradients = {
            ours: to_ours((torch.zeros_like(p) if p.grad is None else p.grad).numpy().copy(), axes, front)
            for ours, p, axes, front in entries
        }
        return images_from_torch(output), loss.item(), images_from_torch(image.grad), gradients

    single = None if network["embedding_type"] == "positional" else run(torch.float32)
    output, loss, gradient_x, gradients = run(torch.float64)

    # A key's bias adds a constant to all scores of a query. The random frequencies are not trained.
    zeros = {ours: ours.replace("bias", "weight") for ours in gradients if ours.endswith(".to_k.bias")}
    if is_fourier:
        zeros["time_proj.weight"] = "time_embedding.linear_1.weight"
    for parameter, reference in zeros.items():
        assert norm(gradients[parameter]) < 1e-12 * norm(gradients[reference]), f"{parameter} should have no gradient"
        gradients[parameter] = np.zeros_like(gradients[parameter])
    for parameter, gradient in gradients.items():
        assert parameter in zeros or norm(gradient) > 0, f"{parameter} has no gradient"

    parameters = [[ours, list(gradients[ours].shape)] for ours, *_ in entries]
    config = {
        "in_channels": IMAGE_CHANNELS,
        "out_channels": IMAGE_CHANNELS,
        "height": SIZE,
        "width": SIZE,
        "channels": [BASE_CHANNELS * multiplier for multiplier in (1, *network["ch_mult"])],
        "channel_multipliers": network["ch_mult"],
        "blocks": network["num_res_blocks"],
        "attention_resolutions": ATTENTION_RESOLUTIONS,
        "architecture": {
            "block": network["resblock_type"],
            "fir": network["fir"],
            "skip_rescale": network["skip_rescale"],
            "embedding": CHOICES[network["embedding_type"]],
            "progressive_input": CHOICES[network["progressive_input"]],
            "progressive_output": CHOICES[network["progressive"]],
            "progressive_combine": network["progressive_combine"],
            "scale_by_sigma": network["scale_by_sigma"],
        },
        "parameters": parameters,
        "zero_gradients": zeros,
        "torch": torch.__version__,
    }
    path = FOLDER / f"score-sde-{name}.h5"
    images = {"x": x, "target": target, "output": output, "gradient_x": gradient_x}
    write_pass(
        path, config, {"times": times}, images, loss, gradients, values, MAXIMUM_WHOLE_GRADIENT, SKETCH_WIDTH)

    print(f"{path.name}: {path.stat().st_size / 1e3:.0f} kB, {sum(math.prod(s) for _, s in parameters):,} parameters")
    if single:
        print(f"  torch's float32: output wrong by {relative_error(single[0], output):.1e}, "
              f"gradient_x by {relative_error(single[2], gradient_x):.1e}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("expected the folder of a clone of https://github.com/yang-song/score_sde_pytorch")
    ncsnpp, sampling = import_models(Path(sys.argv[1]))
    for name, network in NETWORKS.items():
        write(name, network)
