"""Writes zip.pth and legacy.pth, the same tensors in both PyTorch formats, and expanded.pth, which must be refused.

    pip install torch
    python Tests/InterchangeTests/Fixtures/make_fixtures.py

Tests/InterchangeTests/TorchFileTests.swift reads them. They have views of one storage, every floating-point type, a
parameter, tensors without elements and without axes, and a value that is not a tensor.
"""

import collections
from pathlib import Path

import torch

whole = torch.arange(12, dtype=torch.float32).reshape(3, 4)
state = collections.OrderedDict(
    plain=torch.tensor([[1.5, -2.0], [0.25, 3.0]]), turned=whole.t(), part=whole[1:, 1:3], scalar=torch.tensor(7.0),
    empty=torch.zeros(0, 4), half=torch.tensor([1.0, -0.5]).half(), brain=torch.tensor([1.0, -0.5]).bfloat16(),
    double=torch.tensor([0.1], dtype=torch.float64), steps=torch.tensor(3),
    parameter=torch.nn.Parameter(torch.tensor([4.0])), epoch=17)
# The state dictionaries of modules have this attribute.
state._metadata = collections.OrderedDict([("", {"version": 1})])
folder = Path(__file__).parent
torch.save(state, folder / "zip.pth")
torch.save(state, folder / "legacy.pth", _use_new_zipfile_serialization=False)
# A view that repeats one element 2^40 times.
torch.save({"spread": torch.tensor([1.0]).expand(1 << 40)}, folder / "expanded.pth",
           _use_new_zipfile_serialization=False)
