"""Writes the images that the documentation's commands read into the current folder.

`photos` has images in colour, of many sizes and in two classes; `photos-64` has such images of one size; `photographs`
has grey images of 32x32 pixels. scripts/test/documentation.sh runs this before it tests the pages. Needs Pillow.
"""

import random
from pathlib import Path

from PIL import Image


def write(path, size, mode):
    """Writes a smooth image: a few random pixels, enlarged."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # A mode has one letter per channel.
    small = Image.frombytes(mode, (4, 4), random.randbytes(16 * len(mode)))
    small.resize(size, Image.BICUBIC).save(path)


def main():
    random.seed(0)
    for number in range(64):
        name = ("cats", "dogs")[number % 2]
        write(Path("photos", name, f"{number:03}.jpg"), (random.randrange(64, 100), random.randrange(64, 100)), "RGB")
        write(Path("photos-64", name, f"{number:03}.png"), (64, 64), "RGB")
        write(Path("photographs", f"{number:03}.png"), (32, 32), "L")


if __name__ == "__main__":
    main()
