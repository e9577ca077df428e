"""PyTorch's side of the comparison of averaged weights.

Trains the network of an exported pipeline from scratch on Fashion-MNIST, with Adam, and with the warm-up, clipping and
averaging of our configuration. At each point (a number of minutes or steps) it writes three pipelines for diffusers:
with the weights, their average, and an average with a ramp (`ema_rampup_ratio` in EDM's code). Run by
scripts/measure/averages.py. Needs torch and diffusers.
"""

import argparse
import json
import re
import time
from pathlib import Path

import torch
from diffusers import DDPMPipeline, DDPMScheduler, UNet2DModel

from peer_training import average_decay, network_values, training_images


def setting(yaml, name):
    """The text of a key of `training` in a configuration that the program has written."""
    return re.search(rf"^  {name}: (.*)$", yaml.split("\ntraining:\n")[1], re.MULTILINE).group(1)


class Averages:
    """Two averages of the weights, with and without a ramp of the decay."""

    def __init__(self, parameters, decay, rampup):
        self.decay, self.rampup, self.step = decay, rampup, 0
        self.values = {name: [p.detach().clone() for p in parameters] for name in ("average", "ramp")}

    def update(self, parameters):
        ramp = average_decay(self.decay, self.rampup, self.step)
        for name, decay in (("average", self.decay), ("ramp", ramp)):
            torch._foreach_lerp_(self.values[name], [p.detach() for p in parameters], 1 - decay)
        self.step += 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--network", required=True)
    parser.add_argument("--configuration", required=True)
    parser.add_argument("--rampup", type=float, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--minutes", type=float, nargs="*", default=[])
    parser.add_argument("--steps", type=int, nargs="*", default=[])
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)

    yaml = Path(arguments.configuration).read_text()
    data = network_values(training_images(re.search(r"^  path: (.*)$", yaml, re.MULTILINE).group(1)))
    rate, warmup = float(setting(yaml, "learning_rate")), int(setting(yaml, "warmup_steps"))
    batch, decay = int(setting(yaml, "batch")), json.loads(setting(yaml, "ema_decays"))[0]
    network = UNet2DModel.from_config(UNet2DModel.load_config(arguments.network, subfolder="unet"))
    scheduler = DDPMScheduler.from_pretrained(arguments.network, subfolder="scheduler")
    parameters = list(network.parameters())
    averages = Averages(parameters, decay, arguments.rampup)
    optimiser = torch.optim.Adam(parameters, rate, fused=True)

    points = arguments.steps or arguments.minutes
    seconds = 0.0
    step = 0
    for number, point in enumerate(points):
        while step < point if arguments.steps else seconds < 60 * point:
            start = time.perf_counter()
            for group in optimiser.param_groups:
                group["lr"] = rate * min(1.0, (step + 1) / max(warmup, 1))
            x = data[torch.randint(len(data), (batch,))]
            noise, t = torch.randn_like(x), torch.randint(0, scheduler.config.num_train_timesteps, (batch,))
            loss = ((network(scheduler.add_noise(x, noise, t), t).sample - noise) ** 2).mean()
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
            averages.update(parameters)
            step += 1
            seconds += time.perf_counter() - start
        point_folder = arguments.output / str(number)
        current = [p.detach().clone() for p in parameters]
        for name, values in (("weights", current), *averages.values.items()):
            torch._foreach_copy_([p.data for p in parameters], values)
            DDPMPipeline(network, scheduler).save_pretrained(point_folder / name)
        torch._foreach_copy_([p.data for p in parameters], current)
        (point_folder / "steps").write_text(str(step))
        print(f"{step} steps, {seconds:.0f} s, loss {loss.item():.4f}", flush=True)
    (arguments.output / "done").touch()


if __name__ == "__main__":
    main()
