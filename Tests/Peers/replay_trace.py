"""Replays a trace of `ddpm-mpi train` with PyTorch and diffusers, and compares every number of every step.

    pip install torch diffusers h5py
    ddpm-mpi train --preset shapes --set model.dropout=0 --output runs/traced --trace trace.h5 --trace-steps 3
    python replay_trace.py trace.h5

The trace gives the initial parameters and, per step, the images x0, the time steps t and the noise. Everything else is
computed here, in double precision: x_t by the linear schedule, the network, the loss, gradients, clipping and Adam.
The replay runs freely: step 2 starts from the parameters that PyTorch's own step 1 has made.

Printed per step, as relative errors of the trace:

    loss        |trace - replay| / replay
    gradients   of the averaged gradient of each parameter, ||trace - replay|| / ||replay||; the worst
    parameters  of each parameter with an effect, after Adam and clipping, ||trace - replay|| / ||replay||; the worst
    optimiser   of each parameter after PyTorch's Adam in single precision on the trace's own gradients; the worst

Where a norm is zero, or almost, another number is divided by: see `gradient_scales` and `parameter_scales`.
Exits with 1 if one is beyond its tolerance, with 2 if the trace cannot be replayed. Masks of dropout are not in a
trace, so it must be one with model.dropout 0, from step 1 of a run.
"""

import argparse
import math
import sys

import h5py
import numpy as np
import torch
import yaml
from diffusers import UNet2DModel
from diffusers.models.attention_processor import Attention
from diffusers.models.resnet import ResnetBlock2D

# The program computes in single precision. Its gradients stay within about 1e-5 of the exact ones.
LOSS_TOLERANCE = 1e-5
GRADIENT_TOLERANCE = 1e-4
# Adam makes steps of one size of gradients of any size, so the smallest gradients' errors count as much as others.
PARAMETER_TOLERANCE = 1e-3
# The same operations in the same precision; each step rounds every parameter once.
OPTIMISER_TOLERANCE = 1e-6

# A gradient below this part of that of the weight beside it is compared with that part: it is a sum over all pixels
# that nearly cancel, and what single precision leaves of it has the size of the weight's rounding error.
CANCELLATION = 1e-2


class PreciseTimesteps(torch.nn.Module):
    """The sinusoidal embedding in double precision; diffusers computes its angles in single precision."""

    def __init__(self, dimensions):
        super().__init__()
        self.half = dimensions // 2

    def forward(self, timesteps):
        frequencies = torch.exp(-math.log(10000) * torch.arange(self.half, dtype=torch.float64) / (self.half - 1))
        angles = timesteps.double()[:, None] * frequencies[None, :]
        return torch.cat([torch.sin(angles), torch.cos(angles)], dim=1)


def build(settings, height, width, image_channels):
    """The network of a configuration's `model` section, in double precision."""
    attends = [height >> level in settings["attention_resolutions"] for level in range(len(settings["multipliers"]))]
    model = UNet2DModel(
        sample_size=(height, width),
        in_channels=image_channels,
        out_channels=image_channels,
        block_out_channels=tuple(settings["channels"] * multiplier for multiplier in settings["multipliers"]),
        layers_per_block=settings["blocks"],
        down_block_types=tuple("AttnDownBlock2D" if here else "DownBlock2D" for here in attends),
        up_block_types=tuple("AttnUpBlock2D" if here else "UpBlock2D" for here in reversed(attends)),
        attention_head_dim=None,
        act_fn="silu",
        norm_eps=1e-6,
        norm_num_groups=settings["groups"],
        downsample_padding=0,
        flip_sin_to_cos=False,
        freq_shift=1,
        dropout=0.0,
    ).double()
    model.time_proj = PreciseTimesteps(settings["channels"])
    return model


def torchs(array):
    """A parameter from the file's layout, [kh, kw, in, out] or [in, out], to torch's, in double precision."""
    array = array.transpose({1: (0,), 2: (1, 0), 4: (3, 2, 0, 1)}[array.ndim])
    return torch.from_numpy(np.ascontiguousarray(array, np.float64))


def images(dataset):
    """[N, H, W, C] to [N, C, H, W], in double precision."""
    return torch.from_numpy(np.ascontiguousarray(dataset[()].transpose(0, 3, 1, 2), np.float64))


def tensors(group):
    return {name: torchs(dataset[()]) for name, dataset in group.items()}


def without_effect(model):
    """The parameters that cannot change the output, each with the one whose gradient gives its rounding error a scale.

    The key's bias adds the same to all of a query's scores. A group norm with one channel per group ignores what is
    added to a channel. Tests/NetworkTests/Fixtures/README.md has the details.
    """
    scales = {}
    for name, module in model.named_modules():
        if isinstance(module, Attention):
            scales[f"{name}.to_k.bias"] = f"{name}.to_k.weight"
        if isinstance(module, ResnetBlock2D) and module.norm2.num_channels == module.norm2.num_groups:
            for parameter in ("conv1.bias", "time_emb_proj.weight", "time_emb_proj.bias"):
                scales[f"{name}.{parameter}"] = f"{name}.conv1.weight"
    if model.conv_norm_out.num_channels == model.conv_norm_out.num_groups:
        block = len(model.up_blocks) - 1
        layer = len(model.up_blocks[block].resnets) - 1
        for module in ("resnets.{}.conv2", "resnets.{}.conv_shortcut", "attentions.{}.to_v", "attentions.{}.to_out.0"):
            name = f"up_blocks.{block}.{module.format(layer)}"
            if f"{name}.bias" in dict(model.named_parameters()):
                scales[f"{name}.bias"] = f"{name}.weight"
    return scales


def noisy(x0, noise, t, settings):
    """x_t = sqrt(alpha_bar_t) x0 + sqrt(1 - alpha_bar_t) noise, with betas that grow linearly."""
    betas = torch.linspace(settings["beta_first"], settings["beta_last"], settings["steps"], dtype=torch.float64)
    alpha_bar = torch.cumprod(1 - betas, 0)[t][:, None, None, None]
    return alpha_bar.sqrt() * x0 + (1 - alpha_bar).sqrt() * noise


def clip(parameters, settings):
    if settings["max_gradient_norm"] != "none":
        torch.nn.utils.clip_grad_norm_(parameters, settings["max_gradient_norm"])


def adam(parameters, settings):
    return torch.optim.Adam(
        parameters, lr=0.0, betas=(settings["adam_beta1"], settings["adam_beta2"]), eps=settings["adam_epsilon"]
    )


def set_learning_rate(optimiser, settings, step):
    rate = settings["learning_rate"] * min(1.0, step / max(1, settings["warmup_steps"]))
    for group in optimiser.param_groups:
        group["lr"] = rate


def gradient_scales(gradients, model):
    """What to divide the error of each gradient by."""
    scales = {}
    for name, gradient in gradients.items():
        scales[name] = gradient.norm().item()
        weight = name.removesuffix("bias") + "weight"
        if name.endswith(".bias") and gradients[weight].ndim > 1:
            scales[name] = max(scales[name], CANCELLATION * gradients[weight].norm().item())
    for name, reference in without_effect(model).items():
        scales[name] = gradients[reference].norm().item()
    return scales


def parameter_scales(parameters, movement):
    """What to divide the error of each parameter by; biases start at zero and have moved by less than `movement`.

    Adam moves an element by up to the learning rate, however small its gradient is.
    """
    return {name: max(value.norm().item(), movement * math.sqrt(value.numel())) for name, value in parameters.items()}


def worst(found, expected, scales, leaving_out=()):
    """The largest of the tensors' errors ||found - expected|| / scale, and its name."""
    names = (name for name in expected if name not in leaving_out)
    return max(((found[name] - expected[name]).norm().item() / scales[name], name) for name in names)


def main():
    parser = argparse.ArgumentParser(description="Replay a trace of ddpm-mpi with PyTorch.")
    parser.add_argument("trace", help="the file that `ddpm-mpi train --trace` wrote")
    path = parser.parse_args().trace

    with h5py.File(path, "r") as file:
        configuration = yaml.safe_load(file.attrs["config"])
        steps = sorted(name for name in file if name.startswith("step-"))
        if configuration["model"]["dropout"] != 0:
            print("this trace was made with dropout; trace with --set model.dropout=0", file=sys.stderr)
            return 2
        if not steps or steps[0] != "step-00000001":
            print("this trace does not begin at step 1, and Adam's state is not in it", file=sys.stderr)
            return 2
        settings = configuration["training"]

        model = build(configuration["model"], *file[steps[0]]["x0"].shape[1:])
        parameters = dict(model.named_parameters())
        initial = tensors(file["initial"])
        model.load_state_dict(initial)  # refuses names and shapes that are not diffusers'
        optimiser = adam(parameters.values(), settings)
        # A second Adam, which is given the trace's gradients.
        followers = {name: torch.nn.Parameter(value.float()) for name, value in initial.items()}
        follower = adam(followers.values(), settings)
        # Adam moves these by as much as others, but in a direction that rounding errors decide.
        idle = without_effect(model)
        print(f"{len(parameters)} tensors, {len(idle)} of them without effect on the output")

        failed = False
        movement = 0.0
        for number, name in enumerate(steps, start=1):
            step = file[name]
            noise = images(step["noise"])
            t = torch.from_numpy(step["t"][()])
            x_t = noisy(images(step["x0"]), noise, t, configuration["diffusion"])
            loss = torch.mean((model(x_t, t).sample - noise) ** 2)
            optimiser.zero_grad()
            loss.backward()
            gradients = {name: parameter.grad.clone() for name, parameter in parameters.items()}
            clip(parameters.values(), settings)
            set_learning_rate(optimiser, settings, number)
            optimiser.step()

            traced = tensors(step["gradients"])
            for parameter_name, parameter in followers.items():
                parameter.grad = traced[parameter_name].float()
            clip(followers.values(), settings)
            set_learning_rate(follower, settings, number)
            follower.step()

            after = tensors(step["parameters"])
            replayed = {name: parameter.detach() for name, parameter in parameters.items()}
            followed = {name: parameter.detach().double() for name, parameter in followers.items()}
            movement += optimiser.param_groups[0]["lr"]
            scales = parameter_scales(replayed, movement)

            loss_error = abs(step["loss"][0] - loss.item()) / loss.item()
            results = [
                ("loss", (loss_error, ""), LOSS_TOLERANCE),
                ("gradients", worst(traced, gradients, gradient_scales(gradients, model)), GRADIENT_TOLERANCE),
                ("parameters", worst(after, replayed, scales, leaving_out=idle), PARAMETER_TOLERANCE),
                ("optimiser", worst(after, followed, scales), OPTIMISER_TOLERANCE),
            ]
            print(f"step {number}: loss {step['loss'][0]:.6f}, replayed {loss.item():.6f}")
            for what, (error, where), tolerance in results:
                verdict = "" if error <= tolerance else f"  ABOVE {tolerance:.0e}"
                failed = failed or error > tolerance
                print(f"  {what:<11} {error:.1e}  {where}{verdict}")
    print("the trace differs" if failed else "the trace agrees")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
