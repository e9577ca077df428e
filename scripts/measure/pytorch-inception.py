"""Times pytorch-fid's Inception-v3 with random weights, and prints one line of JSON like `peer-program
inception-speed`.

Run by scripts/measure/inception.py. Needs torch, torchvision and pytorch-fid.
"""

import argparse
import json
import time

import torch
import torchvision
from pytorch_fid import inception


def random_state(*_, **__):
    """Replaces the published weights; torchvision's module has parameters with the same names and shapes."""
    module = torchvision.models.inception_v3(num_classes=1008, aux_logits=False, weights=None, init_weights=False)
    return module.state_dict()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=50, help="images that are given to the network together")
    parser.add_argument("--side", type=int, default=32, help="height and width of the images")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=3, help="batches to time")
    parser.add_argument("--warm-up", type=int, default=1, help="batches before those")
    parser.add_argument("--channels-last", action="store_true")
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    inception.load_state_dict_from_url = random_state
    network = inception.InceptionV3().eval()
    images = torch.rand(arguments.batch, 3, arguments.side, arguments.side)
    if arguments.channels_last:
        network = network.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    seconds = []
    with torch.no_grad():
        for step in range(arguments.warm_up + arguments.steps):
            start = time.perf_counter()
            network(images)[0].squeeze(3).squeeze(2).numpy()
            if step >= arguments.warm_up:
                seconds.append(time.perf_counter() - start)
    seconds.sort()
    print(json.dumps({
        "threads": arguments.threads, "batch": arguments.batch, "seconds_per_step": seconds,
        "images_per_second_median": arguments.batch / seconds[len(seconds) // 2], "torch": torch.__version__,
    }))


if __name__ == "__main__":
    main()
