"""What the scripts that train with PyTorch share: the images, and how fast an average of the weights forgets.

Imported by pytorch-averages.py and pytorch-quality.py. Needs torch.
"""

import gzip
from pathlib import Path

import torch

DEFAULT_FOLDER = "/usr/share/datasets/fashion-mnist"


def training_images(path):
    """Fashion-MNIST's training images as bytes [N, 1, 32, 32], with a black margin.

    path: the value of the key `data.path`.
    """
    folder = Path(DEFAULT_FOLDER if path == "default" else path)
    for part in (folder / "raw", folder):
        for name, read in (("train-images-idx3-ubyte", open), ("train-images-idx3-ubyte.gz", gzip.open)):
            if (part / name).exists():
                with read(part / name, "rb") as file:
                    data = bytearray(file.read())
                pixels = torch.frombuffer(data, dtype=torch.uint8, offset=16).reshape(-1, 1, 28, 28)
                return torch.nn.functional.pad(pixels, (2, 2, 2, 2))
    raise SystemExit(f"There is no train-images-idx3-ubyte in {folder}.")


def network_values(pixels):
    """Bytes as the network takes them, in [-1, 1]."""
    return pixels.float() / 127.5 - 1


def average_decay(decay, rampup, step):
    """The weight of the old average after `step` steps: its half-life is at most `rampup` (None: no limit) of them."""
    if rampup is None:
        return decay
    return min(decay, 0.5 ** (1 / (rampup * step))) if step else 0.0
