"""PyTorch's side of the benchmarks: training steps or sampling steps of the same network on the CPU.

    pip install torch diffusers
    python scripts/measure/pytorch-benchmark.py train --preset cifar10 --batch 32 --threads 2
    python scripts/measure/pytorch-benchmark.py train --preset cifar10 --batch 32 --ranks 2
    mpirun -n 2 python scripts/measure/pytorch-benchmark.py train --meet-at /tmp/meeting

--ranks trains with DistributedDataParallel over gloo; --meet-at does the same with the processes that mpirun has
started.

A step of `train` is what `ddpm-mpi benchmark` times: forward and backward pass, gradient clipping, Adam and a moving
average of the weights. A step of `sample` is one pass of the network without gradients. `start` imports PyTorch and
diffusers, builds the network and exits; it is timed from outside. Prints one line of JSON with the keys of
`ddpm-mpi benchmark --json`. Run by against-pytorch.py, scaling.py and scripts/test/peers/benchmarks.sh.
"""

import argparse
import json
import os
import resource
import tempfile
import time

import diffusers
import torch

PRESETS = {
    "cifar10": dict(channels=3, widths=(128, 256, 256, 256), attention=1),
    "fashion-mnist": dict(channels=1, widths=(64, 128, 128), attention=1),
}


def build(preset):
    """The network of a preset: two blocks per level, attention at 16x16."""
    levels = len(preset["widths"])
    down = ["AttnDownBlock2D" if level == preset["attention"] else "DownBlock2D" for level in range(levels)]
    up = ["AttnUpBlock2D" if level == preset["attention"] else "UpBlock2D" for level in reversed(range(levels))]
    return diffusers.UNet2DModel(
        sample_size=32, in_channels=preset["channels"], out_channels=preset["channels"],
        block_out_channels=preset["widths"], down_block_types=down, up_block_types=up, layers_per_block=2,
        attention_head_dim=None, norm_eps=1e-6, downsample_padding=0, flip_sin_to_cos=False, freq_shift=1, dropout=0.1)


def autocast(arguments):
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=arguments.bf16)


def training_step(network, forward, arguments, images, timesteps):
    """Returns a function that makes one optimiser step."""
    noise = torch.randn_like(images)
    optimiser = torch.optim.Adam(network.parameters(), 2e-4, fused=True)
    average = [parameter.detach().clone() for parameter in network.parameters()]

    def step():
        # Autocast casts the weights in every step, since they change. The backward pass does not belong in it.
        with autocast(arguments):
            loss = ((forward(images, timesteps).sample - noise) ** 2).mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        torch._foreach_lerp_(average, [parameter.detach() for parameter in network.parameters()], 1e-4)

    return step


def sampling_step(network, forward, images, timesteps):
    """Returns a function that makes one pass of the network."""
    network.eval()

    def step():
        with torch.no_grad():
            forward(images, timesteps)

    return step


def time_steps(step, arguments):
    """The times of the steps after the warm-up, shortest first. A step ends when all processes have finished it."""
    seconds = []
    for number in range(arguments.warm_up + arguments.steps):
        if arguments.ranks > 1:
            torch.distributed.barrier()
        start = time.perf_counter()
        step()
        if arguments.ranks > 1:
            torch.distributed.barrier()
        if number >= arguments.warm_up:
            seconds.append(time.perf_counter() - start)
    return sorted(seconds)


def run(rank, arguments, meeting_file):
    """Runs one of the processes; process 0 prints the common result."""
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(rank)
    if arguments.ranks > 1:
        # By default, all processes are on this machine.
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
        torch.distributed.init_process_group(
            "gloo", init_method=f"file://{meeting_file}", rank=rank, world_size=arguments.ranks)
    preset = PRESETS[arguments.preset]
    network = build(preset)
    result = {
        "job": arguments.job, "preset": arguments.preset,
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "ranks": arguments.ranks, "threads": arguments.threads, "batch": arguments.batch,
        "bf16": arguments.bf16, "channels_last": arguments.channels_last, "compile": arguments.compile,
        "torch": torch.__version__, "diffusers": diffusers.__version__,
    }
    if arguments.job != "start":
        share = arguments.batch // arguments.ranks
        images = torch.randn(share, preset["channels"], 32, 32)
        timesteps = torch.randint(0, 1000, (share,))
        if arguments.channels_last:
            network = network.to(memory_format=torch.channels_last)
            images = images.contiguous(memory_format=torch.channels_last)
        forward = torch.nn.parallel.DistributedDataParallel(network) if arguments.ranks > 1 else network
        if arguments.compile:
            forward = torch.compile(forward)
        if arguments.job == "train":
            seconds = time_steps(training_step(network, forward, arguments, images, timesteps), arguments)
        else:
            # One autocast region for all steps, so that the constant weights are cast once.
            with autocast(arguments):
                seconds = time_steps(sampling_step(network, forward, images, timesteps), arguments)
        result |= {
            "seconds_per_step": [round(value, 4) for value in seconds],
            "images_per_second_median": round(arguments.batch / seconds[len(seconds) // 2], 3),
            "images_per_second_best": round(arguments.batch / seconds[0], 3),
        }
    memory = torch.tensor(float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 2**20)
    if arguments.ranks > 1:
        torch.distributed.all_reduce(memory)
        torch.distributed.destroy_process_group()
    result["peak_resident_gb"] = round(memory.item(), 3)
    if rank == 0:
        print(json.dumps(result), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("job", choices=["train", "sample", "start"])
    parser.add_argument("--preset", choices=PRESETS, default="cifar10")
    parser.add_argument("--batch", type=int, default=32, help="images per step over all ranks")
    parser.add_argument("--ranks", type=int, default=1, help="processes; more than one train as DDP over gloo")
    parser.add_argument("--threads", type=int, default=1, help="threads per process")
    parser.add_argument("--steps", type=int, default=5, help="steps to time")
    # Not only the first step is slow: the next two take at least a fifth longer than later ones.
    parser.add_argument("--warm-up", type=int, default=3, help="steps before those")
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument(
        "--meet-at", metavar="FILE",
        help="be one of the processes that mpirun has started, which find one another through a file that is not there "
        "yet")
    arguments = parser.parse_args()
    if arguments.meet_at:
        arguments.ranks = int(os.environ.get("OMPI_COMM_WORLD_SIZE") or os.environ["PMI_SIZE"])
    if arguments.batch % arguments.ranks:
        parser.error("--ranks must divide --batch")
    if arguments.ranks > 1 and arguments.job != "train":
        parser.error("--ranks is for train")
    if arguments.meet_at:
        rank = os.environ.get("OMPI_COMM_WORLD_RANK") or os.environ["PMI_RANK"]
        return run(int(rank), arguments, arguments.meet_at)
    with tempfile.TemporaryDirectory() as folder:
        meeting_file = f"{folder}/processes"
        if arguments.ranks > 1:
            torch.multiprocessing.spawn(run, (arguments, meeting_file), arguments.ranks)
        else:
            run(0, arguments, meeting_file)


if __name__ == "__main__":
    main()
