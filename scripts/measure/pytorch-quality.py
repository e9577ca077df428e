"""PyTorch's side of the comparison of quality over training time, on the CPU.

Trains the network of an exported pipeline from its default initial weights, with Adam, and with the warm-up, clipping
and averaging of our configuration. Run by scripts/measure/quality.py, which describes the whole. Needs torch and
diffusers.

    speed    times training steps with both memory formats
    train    trains until some seconds of training are done, and writes the state to FOLDER/step-<n>.pt and a pipeline
             with the averaged weights to FOLDER/step-<n>

With --processes, several processes train by DistributedDataParallel over gloo. torch.compile is not used: compiling
takes minutes, which would count as training. Each job prints one line of JSON.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

import diffusers
import torch
from diffusers import DDPMPipeline, DDPMScheduler, UNet2DModel

from peer_training import average_decay, network_values, training_images

WARM_UP_STEPS = 3
SPEED_STEPS = 5
MEMORY_FORMATS = {"contiguous": torch.contiguous_format, "channels-last": torch.channels_last}


class Trainer:
    """One of the processes that train a network together."""

    def __init__(self, options, rank, format_name):
        self.options, self.rank = options, rank
        self.settings = json.loads(options.settings.read_text())
        self.images = training_images(self.settings["data_path"])
        self.memory_format = MEMORY_FORMATS[format_name]
        torch.manual_seed(options.seed)
        self.configuration = UNet2DModel.load_config(options.network, subfolder="unet")
        self.network = UNet2DModel.from_config(self.configuration).to(memory_format=self.memory_format)
        self.parameters = list(self.network.parameters())
        self.forward = self.network
        if options.processes > 1:
            # Broadcasts the weights of process 0.
            self.forward = torch.nn.parallel.DistributedDataParallel(self.network, gradient_as_bucket_view=True)
        self.optimiser = torch.optim.Adam(
            self.parameters, self.settings["learning_rate"], betas=self.settings["adam_betas"],
            eps=self.settings["adam_epsilon"], fused=True)
        self.average = [parameter.detach().clone() for parameter in self.parameters]
        self.scheduler = DDPMScheduler.from_pretrained(options.network, subfolder="scheduler")
        self.signal_scales = self.scheduler.alphas_cumprod.sqrt()
        self.noise_scales = (1 - self.scheduler.alphas_cumprod).sqrt()
        # What a state has, besides the tensors: the steps done, and the seconds that they took.
        self.steps, self.seconds = 0, 0.0
        self.epoch, self.order = None, None

    # The work of a step

    def batch(self):
        """This process's images of the next batch; the orders of the epochs depend only on the seed."""
        size = self.settings["batch"]
        epoch, position = divmod(self.steps, len(self.images) // size)
        if epoch != self.epoch:
            generator = torch.Generator().manual_seed((self.options.seed << 32) + epoch)
            self.epoch, self.order = epoch, torch.randperm(len(self.images), generator=generator)
        share = size // self.options.processes
        start = position * size + self.rank * share
        images = network_values(self.images[self.order[start:start + share]])
        if self.settings["flips"]:
            images = torch.where(torch.rand(share, 1, 1, 1) < 0.5, images.flip(3), images)
        return images.contiguous(memory_format=self.memory_format)

    def compute_gradients(self):
        images = self.batch()
        noise = torch.randn_like(images)
        times = torch.randint(0, len(self.signal_scales), (len(images),))
        signal, noise_scale = (table[times, None, None, None] for table in (self.signal_scales, self.noise_scales))
        prediction = self.forward(signal * images + noise_scale * noise, times).sample
        loss = ((prediction - noise) ** 2).mean()
        self.optimiser.zero_grad()
        loss.backward()
        return loss

    def learning_rate(self):
        """As of the program's schedules `constant` and `inverse-sqrt`."""
        rate, warm_up = self.settings["learning_rate"], self.settings["warmup_steps"]
        if self.steps + 1 < warm_up:
            return rate * (self.steps + 1) / warm_up
        start = self.settings["decay_start"]
        return rate if start is None or self.steps <= start else rate * (max(start, 1) / self.steps) ** 0.5

    def step(self):
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate()
        loss = self.compute_gradients()
        if self.settings["max_gradient_norm"] is not None:
            torch.nn.utils.clip_grad_norm_(self.parameters, self.settings["max_gradient_norm"])
        self.optimiser.step()
        # One process keeps the average, since all would have the same.
        if self.rank == 0:
            decay = average_decay(self.settings["ema_decay"], self.settings["ema_rampup"], self.steps)
            torch._foreach_lerp_(self.average, [parameter.detach() for parameter in self.parameters], 1 - decay)
        self.steps += 1
        return loss

    def warm_up(self):
        """The first steps of a process are slow, and not part of the training: their gradients are dropped."""
        for _ in range(WARM_UP_STEPS):
            self.compute_gradients()
        self.optimiser.zero_grad()

    # Jobs

    def speed(self):
        """The steps per second."""
        self.warm_up()
        seconds = []
        for _ in range(SPEED_STEPS):
            start = time.perf_counter()
            self.step()
            seconds.append(time.perf_counter() - start)
        return 1 / statistics.median(seconds)

    def train(self):
        newest = max(self.options.folder.glob("step-*.pt"), default=None)
        if newest:
            self.restore(newest)
        self.warm_up()
        torch.manual_seed((self.options.seed << 40) + (self.steps << 12) + self.rank)
        before, start, loss = self.seconds, time.perf_counter(), None
        while self.is_to_go_on():
            loss = self.step()
            self.seconds = before + time.perf_counter() - start
        if self.rank == 0 and loss is not None:
            self.save()
        return {"step": self.steps, "seconds": self.seconds, "loss": None if loss is None else loss.item()}

    def is_to_go_on(self):
        """By the clock of process 0."""
        goes_on = self.seconds < self.options.seconds
        if self.options.processes == 1:
            return goes_on
        decision = torch.tensor(int(goes_on))
        torch.distributed.broadcast(decision, 0)
        return bool(decision)

    def save(self):
        path = self.options.folder / f"step-{self.steps:08d}.pt"
        averaged = UNet2DModel.from_config(self.configuration)
        with torch.no_grad():
            torch._foreach_copy_(list(averaged.parameters()), self.average)
        DDPMPipeline(averaged, self.scheduler).save_pretrained(path.with_suffix(""))
        partial = path.with_suffix(".partial")
        torch.save({
            "steps": self.steps, "seconds": self.seconds, "network": self.network.state_dict(),
            "average": self.average, "optimiser": self.optimiser.state_dict()}, partial)
        os.replace(partial, path)

    def restore(self, path):
        state = torch.load(path)
        self.steps, self.seconds = state["steps"], state["seconds"]
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        torch._foreach_copy_(self.average, state["average"])


def run(rank, options, meeting_file):
    """Runs one of the processes that train; process 0 prints the result."""
    torch.set_num_threads(options.threads)
    if options.processes > 1:
        # All processes are on this machine.
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
        torch.distributed.init_process_group(
            "gloo", init_method=f"file://{meeting_file}", rank=rank, world_size=options.processes)
    if options.job == "speed":
        trainers = {name: Trainer(options, rank, name) for name in MEMORY_FORMATS}
        result = {"steps_per_second": {name: trainer.speed() for name, trainer in trainers.items()}}
        result["parameters"] = sum(parameter.numel() for parameter in trainers["contiguous"].parameters)
        result["versions"] = f"PyTorch {torch.__version__}, diffusers {diffusers.__version__}"
    else:
        result = Trainer(options, rank, options.memory_format).train()
    if options.processes > 1:
        torch.distributed.destroy_process_group()
    if rank == 0:
        print(json.dumps(result), flush=True)


def main():
    parser = argparse.ArgumentParser()
    jobs = parser.add_subparsers(dest="job", required=True)
    speed, train = (jobs.add_parser(name) for name in ("speed", "train"))
    for job in (speed, train):
        job.add_argument("--network", type=Path, required=True, help="an exported pipeline")
        job.add_argument("--settings", type=Path, required=True, help="JSON by quality.py")
        job.add_argument("--processes", type=int, default=1)
        job.add_argument("--threads", type=int, default=1, help="threads per process")
        job.add_argument("--seed", type=int, default=0)
    train.add_argument("--memory-format", choices=MEMORY_FORMATS, default="channels-last")
    train.add_argument("--seconds", type=float, required=True, help="of training, those of the newest state included")
    train.add_argument("--folder", type=Path, required=True, help="of the states")
    options = parser.parse_args()
    if options.processes > 1:
        with tempfile.TemporaryDirectory() as folder:
            # Forked, which needs no further imports: PyTorch has computed nothing yet, so it has no threads.
            torch.multiprocessing.start_processes(
                run, (options, f"{folder}/processes"), options.processes, start_method="fork")
    else:
        run(0, options, None)


if __name__ == "__main__":
    main()
