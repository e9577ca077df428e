#!/usr/bin/env python3
"""Converts the weights of FID's Inception-v3 for ddpm-mpi.

The published file is pt_inception-2015-12-05-6726825d.pth, from
https://github.com/mseitzer/pytorch-fid/releases/tag/fid_weights. The result keeps PyTorch's names, shapes and numbers,
in the safetensors format; ddpm-mpi looks for it at ~/.cache/ddpm-mpi/inception-v3-fid.safetensors, or where
--inception-weights or DDPM_INCEPTION_WEIGHTS says.

    pip install torch safetensors
    python3 scripts/convert-inception.py pt_inception-2015-12-05-6726825d.pth \\
        ~/.cache/ddpm-mpi/inception-v3-fid.safetensors
"""
import argparse
import hashlib
import pathlib
import sys

import torch
from safetensors.torch import save_file

PUBLISHED_SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=pathlib.Path, help="the .pth file: the network's state dictionary")
    parser.add_argument("target", type=pathlib.Path, help="the safetensors file to write")
    arguments = parser.parse_args()
    if not arguments.source.is_file():
        sys.exit(f"{arguments.source}: there is no such file; see --help for where to get it")

    with open(arguments.source, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != PUBLISHED_SHA256:
        print(f"{arguments.source} is not the published file: its SHA-256 is {digest}, not {PUBLISHED_SHA256}. "
              "Distances by its features are not comparable with others'.", file=sys.stderr)

    state = torch.load(arguments.source, map_location="cpu", weights_only=True)
    # Counters of training steps are integers, and nothing depends on them.
    tensors = {name: tensor.float().contiguous() for name, tensor in state.items() if tensor.is_floating_point()}
    arguments.target.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, arguments.target, metadata={"source": arguments.source.name, "source_sha256": digest})
    print(f"{arguments.target}: {len(tensors)} tensors, {sum(tensor.numel() for tensor in tensors.values())} numbers")


if __name__ == "__main__":
    main()
