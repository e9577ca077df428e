"""Replays a trace of ddpm-mpi in PyTorch and compares loss, gradients and updated parameters step by step.

    pip install torch diffusers h5py pyyaml
    ddpm-mpi train --preset shapes --set training.steps=3 --trace trace.h5 --trace-steps 3 --output runs/traced
    python replay_trace.py trace.h5

The trace holds everything that is random: initial parameters, images, time steps and noise. Here the network is
diffusers' `UNet2DModel`, the forward process, the loss, clipping and Adam are PyTorch's. Train without dropout, whose
masks a trace does not hold. Exits with 1 if anything is further off than single precision explains.
"""
import sys

import h5py
import torch
import yaml
from diffusers import UNet2DModel

# Norm-wise relative. Later steps start from parameters that Adam has moved by a full learning rate wherever a gradient
# is rounding noise, so parameters are compared with the distance they have moved.
GRADIENT_TOLERANCE = 1e-4
LOSS_TOLERANCE = 1e-5
TORCH_AXES = {"HWIO": (3, 2, 0, 1), "IO": (1, 0), "C": (0,)}


def read_tensors(group):
    """Tensors of a group in PyTorch's layouts."""
    return {
        name: torch.tensor(item[:].transpose(TORCH_AXES[item.attrs["layout"]])).double()
        for name, item in group.items()
    }


def build(config, shape):
    """The network that a configuration describes, for images of `shape` [H, W, C]."""
    model = config["model"]
    widths = tuple(model["channels"] * multiplier for multiplier in model["multipliers"])
    attention = [shape[0] >> level in model["attention_resolutions"] for level in range(len(widths))]
    network = UNet2DModel(
        sample_size=shape[0], in_channels=shape[2], out_channels=shape[2], layers_per_block=model["blocks"],
        block_out_channels=widths, norm_num_groups=model["groups"],
        down_block_types=["AttnDownBlock2D" if here else "DownBlock2D" for here in attention],
        up_block_types=["AttnUpBlock2D" if here else "UpBlock2D" for here in reversed(attention)],
        attention_head_dim=None, norm_eps=1e-6, downsample_padding=0, flip_sin_to_cos=False, freq_shift=1)
    return network.double()


def relative(mine, theirs, scale=None):
    scale = theirs.norm() if scale is None else scale
    return ((mine - theirs).norm() / scale).item() if scale > 0 else 0.0


def main(path):
    with h5py.File(path, "r") as file:
        config = yaml.safe_load(file.attrs["config"])
        assert config["model"]["dropout"] == 0, "a trace with dropout cannot be replayed"
        steps = sorted(name for name in file if name.startswith("step-"))
        training, diffusion = config["training"], config["diffusion"]
        network = build(config, file[steps[0]]["x0"].shape[1:])
        network.load_state_dict(read_tensors(file["initial"]))
        names, parameters = zip(*network.named_parameters())
        optimiser = torch.optim.Adam(
            parameters, lr=1.0, betas=(training["adam_beta1"], training["adam_beta2"]), eps=training["adam_epsilon"])
        betas = torch.linspace(diffusion["beta_first"], diffusion["beta_last"], diffusion["steps"], dtype=torch.float64)
        alphas = torch.cumprod(1 - betas, 0)

        good = True
        for number, step in enumerate(steps, start=1):
            group = file[step]
            x0, noise = (torch.tensor(group[name][:]).double().permute(0, 3, 1, 2) for name in ("x0", "noise"))
            t = torch.tensor(group["t"][:])
            alpha = alphas[t].view(-1, 1, 1, 1)
            noisy = alpha.sqrt() * x0 + (1 - alpha).sqrt() * noise
            loss = ((network(noisy, t).sample - noise) ** 2).mean()
            optimiser.zero_grad()
            loss.backward()

            truth = {name: parameter.grad.clone() for name, parameter in zip(names, parameters)}
            whole = torch.cat([gradient.flatten() for gradient in truth.values()]).norm()
            worst_gradient = 0.0
            for name, gradient in read_tensors(group["gradients"]).items():
                # Some gradients are zero in exact arithmetic (such as those of attention's key biases), and what is
                # computed for them is rounding of terms of the size of their neighbours'.
                scale = max(truth[name].norm(), 1e-3 * whole)
                worst_gradient = max(worst_gradient, relative(gradient, truth[name], scale))

            before = [parameter.detach().clone() for parameter in parameters]
            if training["max_gradient_norm"] not in (None, "none"):
                torch.nn.utils.clip_grad_norm_(parameters, training["max_gradient_norm"])
            rate = training["learning_rate"] * min(1, number / max(training["warmup_steps"], 1))
            for settings in optimiser.param_groups:
                settings["lr"] = rate
            optimiser.step()
            updated = read_tensors(group["parameters"])
            moved = sum(float((a.detach() - b).norm() ** 2) for a, b in zip(parameters, before)) ** 0.5
            missed = sum(float((updated[name] - a.detach()).norm() ** 2) for name, a in zip(names, parameters)) ** 0.5
            loss_error = abs(group["loss"][0] - loss.item()) / loss.item()
            good &= worst_gradient < GRADIENT_TOLERANCE and loss_error < LOSS_TOLERANCE and missed < 0.02 * moved
            print(
                f"{step}: loss {loss.item():.6f} (off by {loss_error:.1e}), worst gradient off by {worst_gradient:.1e}, "
                f"update off by {missed / moved:.1e} of its length")
            # Go on from the trace's parameters, so that each step is compared by itself.
            with torch.no_grad():
                for name, parameter in zip(names, parameters):
                    parameter.copy_(updated[name])
    print("agrees" if good else "DISAGREES")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
