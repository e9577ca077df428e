"""Makes images of many kinds with Pillow, and compares what `ddpm-mpi pack` makes of them with what Pillow does.

    python packed_images.py make FOLDER       writes FOLDER/kinds, FOLDER/idx, FOLDER/png, FOLDER/h5py.h5
    python packed_images.py compare FILE.h5 FOLDER/kinds SIDE

Needs Pillow, numpy and h5py. `compare` exits with 1 if a value differs by more than 1 of 255.
"""

import pathlib
import struct
import sys
import zlib

import h5py
import numpy as np
from PIL import Image


def picture(height, width, channels, seed):
    """Waves and noise, [height, width, channels], 0 to 255."""
    random = np.random.default_rng(seed)
    y, x, c = np.mgrid[0:height, 0:width, 0:channels]
    waves = 128 + 90 * np.sin(x / 5 + c) * np.cos(y / 7 - c) + 30 * random.standard_normal((height, width, channels))
    return np.clip(waves, 0, 255).astype(np.uint8)


def write_png(path, rows, depth, colour_type, interlaced=False):
    """A PNG file of samples [height, width, channels] of 8 or 16 bits: Pillow writes neither 16 bits of colour nor
    interlaced files."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width, _ = rows.shape
    passes = [(0, 0, 1, 1)]
    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    lines = b""
    for left, top, across, down in passes:
        for row in rows[top::down, left::across]:
            if row.size:
                lines += b"\0" + row.astype(">u2" if depth == 16 else np.uint8).tobytes()
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, interlaced)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)


def make_kinds(folder):
    """A file of every kind, in two classes."""
    for name in ("drawn", "taken"):
        (folder / name).mkdir(parents=True)
    colour = Image.fromarray(picture(90, 70, 3, 1))
    grey = Image.fromarray(picture(61, 83, 1, 2)[:, :, 0])
    opacity = Image.fromarray(picture(90, 70, 1, 3)[:, :, 0])
    drawn, taken = folder / "drawn", folder / "taken"
    colour.save(drawn / "colour.png")
    grey.save(drawn / "grey.png")
    grey.convert("1").save(drawn / "two-values.png")
    colour.quantize(17).save(drawn / "palette.png")
    colour.quantize(17).save(drawn / "palette-transparent.png", transparency=3)
    transparent = colour.copy()
    transparent.putalpha(opacity)
    transparent.save(drawn / "transparent.png")
    transparent.convert("LA").save(drawn / "grey-transparent.png")
    write_png(drawn / "interlaced.png", picture(45, 51, 3, 4), 8, 2, interlaced=True)
    write_png(drawn / "sixteen-bits.png", picture(50, 40, 3, 5).astype(int) * 257, 16, 2)
    write_png(drawn / "sixteen-bits-grey.png", picture(50, 40, 1, 6).astype(int) * 257, 16, 0)
    Image.fromarray(picture(24, 24, 3, 7)).save(drawn / "of-this-size.png")
    Image.fromarray(picture(11, 13, 3, 8)).save(drawn / "small.png")
    colour.save(taken / "colour.jpg", quality=90)
    colour.save(taken / "progressive.jpeg", quality=90, progressive=True)
    grey.save(taken / "grey.JPG", quality=90)
    colour.convert("CMYK").save(taken / "inks.jpg", quality=90)
    Image.fromarray(picture(300, 417, 3, 9)).save(taken / "wide.jpg", quality=90)


def make(folder):
    make_kinds(folder / "kinds")
    images = picture(28 * 40, 28, 1, 10).reshape(40, 28, 28)
    labels = np.arange(40) % 10
    (folder / "idx").mkdir()
    for stem, part in (("train", slice(0, 32)), ("t10k", slice(32, 40))):
        for kind, values in (("images-idx3", images[part]), ("labels-idx1", labels[part])):
            header = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">u4").tobytes()
            (folder / "idx" / f"{stem}-{kind}-ubyte").write_bytes(header + values.astype(np.uint8).tobytes())
    (folder / "png").mkdir()
    padded = np.pad(images, ((0, 0), (2, 2), (2, 2)))
    for index, image in enumerate(padded[:32]):
        Image.fromarray(image).save(folder / "png" / f"{index:05}.png")
    with h5py.File(folder / "h5py.h5", "w") as file:
        file.create_dataset("images", data=padded[:32, :, :, None], chunks=(7, 32, 32, 1), compression="gzip")
        file["labels"] = labels[:32]


def expected(path, side):
    """The file's image by Pillow: on white, in colour, the square in the middle brought to one side."""
    image = Image.open(path)
    if path.stem.startswith("sixteen-bits-grey"):
        image = Image.fromarray((np.array(image).astype(int) // 257).astype(np.uint8))
    image = image.convert("CMYK").convert("RGB") if image.mode == "CMYK" else image.convert("RGBA")
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    crop = min(image.size)
    left, top = (image.width - crop) // 2, (image.height - crop) // 2
    image = image.crop((left, top, left + crop, top + crop))
    if crop < side:
        return np.array(image.resize((side, side), Image.Resampling.BILINEAR))
    # Pillow's box takes pixels as a whole or not at all. Each of them repeated as often as there are new pixels in a
    # line, the new pixels' borders are borders of repeated ones, and the mean is that over the area.
    fine = image.resize((crop * side, crop * side), Image.Resampling.NEAREST)
    return np.array(fine.resize((side, side), Image.Resampling.BOX))


def compare(packed, folder, side):
    with h5py.File(packed, "r") as file:
        images, labels, checksums = file["images"][:], file["labels"][:], file["crc32"][:]
        names = list(file.attrs["class_names"])
        assert file.attrs["complete"] == 1
    assert names == ["drawn", "taken"], names
    paths = [path for name in names for path in sorted((folder / name).iterdir(), key=lambda path: path.name.encode())]
    assert images.shape == (len(paths), side, side, 3), images.shape
    worst = 0
    for path, image, label, checksum in zip(paths, images, labels, checksums):
        assert names[label] == path.parent.name, path
        assert zlib.crc32(image.tobytes()) == checksum, path
        difference = np.abs(image.astype(int) - expected(path, side)).max()
        print(f"{path.name}: {difference}")
        worst = max(worst, difference)
    sys.exit(1 if worst > 1 else 0)


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(pathlib.Path(sys.argv[2]))
    else:
        compare(sys.argv[2], pathlib.Path(sys.argv[3]), int(sys.argv[4]))
