"""The same work in PyTorch, to compare with: optimiser steps, or a sampler's steps, of the same network on the CPU.

    pip install torch diffusers
    python pytorch_peer.py train --preset cifar10 --batch 32 --threads 2

A step of `train` is what `ddpm-mpi benchmark` times: forward and backward pass, gradient clipping, Adam and a moving
average of the weights. Prints one line of JSON with the keys of `ddpm-mpi benchmark --json`.
"""
import argparse
import json
import resource
import time

import torch
from diffusers import UNet2DModel

PRESETS = {
    "cifar10": dict(channels=3, widths=(128, 256, 256, 256), attention=1),
    "fashion-mnist": dict(channels=1, widths=(64, 128, 128), attention=1),
}


def build(preset):
    """The network of a preset: two blocks a level, attention at 16x16."""
    levels = len(preset["widths"])
    down = ["AttnDownBlock2D" if level == preset["attention"] else "DownBlock2D" for level in range(levels)]
    up = ["AttnUpBlock2D" if level == preset["attention"] else "UpBlock2D" for level in reversed(range(levels))]
    return UNet2DModel(
        sample_size=32, in_channels=preset["channels"], out_channels=preset["channels"],
        block_out_channels=preset["widths"], down_block_types=down, up_block_types=up, layers_per_block=2,
        attention_head_dim=None, norm_eps=1e-6, downsample_padding=0, flip_sin_to_cos=False, freq_shift=1, dropout=0.1)


def training_step(network, forward, optimiser, average, images, timesteps, noise):
    loss = ((forward(images, timesteps).sample - noise) ** 2).mean()
    optimiser.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimiser.step()
    torch._foreach_lerp_(average, [parameter.detach() for parameter in network.parameters()], 1e-4)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("job", choices=["train", "sample"])
    parser.add_argument("--preset", choices=PRESETS, default="cifar10")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--bf16", action="store_true")
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    preset = PRESETS[arguments.preset]
    network = build(preset)
    images = torch.randn(arguments.batch, preset["channels"], 32, 32)
    noise = torch.randn_like(images)
    timesteps = torch.randint(0, 1000, (arguments.batch,))
    if arguments.channels_last:
        network = network.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    forward = torch.compile(network) if arguments.compile else network
    optimiser = torch.optim.Adam(network.parameters(), 2e-4, fused=True)
    average = [parameter.detach().clone() for parameter in network.parameters()]

    seconds = []
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=arguments.bf16):
        for step in range(arguments.steps + 1):
            start = time.perf_counter()
            if arguments.job == "train":
                training_step(network, forward, optimiser, average, images, timesteps, noise)
            else:
                with torch.no_grad():
                    network.eval()
                    forward(images, timesteps)
            if step > 0:
                seconds.append(time.perf_counter() - start)
    seconds.sort()
    print(json.dumps({
        "job": arguments.job, "preset": arguments.preset,
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "ranks": 1, "threads": arguments.threads, "batch": arguments.batch,
        "seconds_per_step": [round(value, 4) for value in seconds],
        "images_per_second_median": round(arguments.batch / seconds[len(seconds) // 2], 3),
        "images_per_second_best": round(arguments.batch / seconds[0], 3),
        "peak_resident_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 3),
    }))


if __name__ == "__main__":
    main()
