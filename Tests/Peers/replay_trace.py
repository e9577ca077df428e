"""Replays a trace of `ddpm-mpi train` with PyTorch and diffusers, and compares every number of every step.

    pip install torch diffusers h5py
    ddpm-mpi train --preset shapes --set model.dropout=0 --output runs/traced --trace trace.h5 --trace-steps 3
    python replay_trace.py trace.h5

The trace has the initial parameters and, per step, the images x0, the time steps t and the noise. Everything else is
computed here, in double precision: x_t by the linear schedule, the network, the loss, gradients, clipping and Adam.
The replay is independent of the trace's parameters: step 2 starts from the result of PyTorch's own step 1.

Printed per step, as relative errors of the trace:

    loss        |trace - replay| / replay
    gradients   the largest ||trace - replay|| / ||replay|| of the parameters' averaged gradients
    parameters  the largest ||trace - replay|| / ||replay|| of the parameters with an effect, after clipping and Adam
    optimiser   the same after PyTorch's Adam in single precision with the trace's own gradients, for all parameters

If a norm is zero or nearly zero, errors are divided by another number: see `gradient_scales` and `parameter_scales`.
Exits with 1 if an error exceeds its tolerance, with 2 if the trace cannot be replayed. A trace has no dropout masks, so
it must be one with model.dropout=0, and it must begin at step 1 of a run. Run by hand; no script calls it.
"""

import argparse
import math
import sys
from pathlib import Path

import h5py
import torch
import yaml
from diffusers import UNet2DModel

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "NetworkTests" / "Fixtures"))
from fixture_tools import (  # noqa: E402
    UNET_OPTIONS, PreciseTimesteps, images_to_torch, parameter_to_torch, zero_gradients,
)

# The program computes in single precision. The errors of its gradients are about 1e-5.
LOSS_TOLERANCE = 1e-5
GRADIENT_TOLERANCE = 1e-4
# The length of Adam's steps does not depend on the gradient's, so errors of tiny gradients count as much as others.
PARAMETER_TOLERANCE = 1e-3
# Both use the same operations in the same precision; each step rounds every parameter once.
OPTIMISER_TOLERANCE = 1e-6

# The minimum scale for errors of a bias's gradient, relative to the gradient of its weight. It may be a sum over all
# pixels that nearly cancels, and its rounding error in single precision is then as large as the weight's.
CANCELLATION = 1e-2


def build(settings, height, width, image_channels):
    """The network of a configuration's `model` section, in double precision."""
    attends = [height >> level in settings["attention_resolutions"] for level in range(len(settings["multipliers"]))]
    model = UNet2DModel(
        sample_size=(height, width),
        in_channels=image_channels,
        out_channels=image_channels,
        block_out_channels=tuple(settings["channels"] * multiplier for multiplier in settings["multipliers"]),
        layers_per_block=settings["blocks"],
        down_block_types=tuple("AttnDownBlock2D" if attention else "DownBlock2D" for attention in attends),
        up_block_types=tuple("AttnUpBlock2D" if attention else "UpBlock2D" for attention in reversed(attends)),
        attention_head_dim=None,
        norm_num_groups=settings["groups"],
        **UNET_OPTIONS,
    ).double()
    model.time_proj = PreciseTimesteps(settings["channels"])
    return model


def images(dataset):
    """[N, H, W, C] to [N, C, H, W], in double precision."""
    return images_to_torch(dataset[()]).double()


def tensors(group):
    """The parameters of a group in torch's layout, in double precision."""
    return {
        name: torch.from_numpy(parameter_to_torch(dataset[()], name)).double() for name, dataset in group.items()
    }


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
    """The number by which each gradient's error is divided."""
    scales = {}
    for name, gradient in gradients.items():
        scales[name] = gradient.norm().item()
        weight = name.removesuffix("bias") + "weight"
        if name.endswith(".bias") and gradients[weight].ndim > 1:
            scales[name] = max(scales[name], CANCELLATION * gradients[weight].norm().item())
    for name, reference in zero_gradients(model).items():
        scales[name] = gradients[reference].norm().item()
    return scales


def parameter_scales(parameters, movement):
    """The number by which each parameter's error is divided.

    Biases start at zero, and their elements have changed by at most `movement`, the sum of the learning rates so far:
    Adam changes an element by up to the learning rate, however small its gradient is.
    """
    return {name: max(value.norm().item(), movement * math.sqrt(value.numel())) for name, value in parameters.items()}


def largest_error(actual, expected, scales, excluded=()):
    """The largest of the tensors' errors ||actual - expected|| / scale, and its name."""
    names = (name for name in expected if name not in excluded)
    return max(((actual[name] - expected[name]).norm().item() / scales[name], name) for name in names)


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
        if configuration["data"].get("conditions"):
            print("this trace has given channels, which are not replayed; trace without data.conditions", file=sys.stderr)
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
        # A second Adam, which gets the trace's gradients.
        followers = {name: torch.nn.Parameter(value.float()) for name, value in initial.items()}
        follower = adam(followers.values(), settings)
        # Adam changes these as much as others, but rounding errors determine the direction.
        without_effect = zero_gradients(model)
        print(f"{len(parameters)} tensors, {len(without_effect)} of them without effect on the output")

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
                ("gradients", largest_error(traced, gradients, gradient_scales(gradients, model)), GRADIENT_TOLERANCE),
                ("parameters", largest_error(after, replayed, scales, without_effect), PARAMETER_TOLERANCE),
                ("optimiser", largest_error(after, followed, scales), OPTIMISER_TOLERANCE),
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
