"""Makes the images that the documentation's commands are about, in this folder: `photos`, coloured, of many sizes and in
two classes; `photos-64`, the same of one size; `photographs`, grey ones of 32x32 pixels."""

import pathlib
import random

import PIL.Image

random.seed(0)


def write(path, size, mode):
    """A soft picture: few random pixels, enlarged."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # A mode has a letter for each channel.
    small = PIL.Image.frombytes(mode, (4, 4), random.randbytes(16 * len(mode)))
    small.resize(size, PIL.Image.BICUBIC).save(path)


for number in range(64):
    kind = ("cats", "dogs")[number % 2]
    write(pathlib.Path("photos", kind, f"{number:03}.jpg"), (random.randrange(64, 100), random.randrange(64, 100)), "RGB")
    write(pathlib.Path("photos-64", kind, f"{number:03}.png"), (64, 64), "RGB")
    write(pathlib.Path("photographs", f"{number:03}.png"), (32, 32), "L")
