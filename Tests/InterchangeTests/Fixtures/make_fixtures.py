"""Writes zip.pth and legacy.pth, the same tensors in both of PyTorch's formats.

    python Tests/InterchangeTests/Fixtures/make_fixtures.py

needs torch. Views of one storage, every type of floating-point numbers, a parameter, tensors without elements and without
axes, what is no tensor.
"""
import collections
import pathlib

import torch

whole = torch.arange(12, dtype=torch.float32).reshape(3, 4)
state = collections.OrderedDict(
    plain=torch.tensor([[1.5, -2.0], [0.25, 3.0]]), turned=whole.t(), part=whole[1:, 1:3], scalar=torch.tensor(7.0),
    empty=torch.zeros(0, 4), half=torch.tensor([1.0, -0.5]).half(), brain=torch.tensor([1.0, -0.5]).bfloat16(),
    double=torch.tensor([0.1], dtype=torch.float64), steps=torch.tensor(3),
    parameter=torch.nn.Parameter(torch.tensor([4.0])), epoch=17)
# As modules' state dictionaries have it.
state._metadata = collections.OrderedDict([("", {"version": 1})])
folder = pathlib.Path(__file__).parent
torch.save(state, folder / "zip.pth")
torch.save(state, folder / "legacy.pth", _use_new_zipfile_serialization=False)
# What cannot be read here.
torch.save({"spread": torch.tensor([1.0]).expand(1 << 40)}, folder / "expanded.pth",
           _use_new_zipfile_serialization=False)
