"""Writes images of many kinds with Pillow, and compares the output of `ddpm-mpi pack` with Pillow's results.

    python packed_images.py make FOLDER       writes FOLDER/kinds, FOLDER/mixed, FOLDER/idx, FOLDER/png, FOLDER/h5py.h5
    python packed_images.py compare FILE.h5 FOLDER/kinds SIDE
    python packed_images.py forms FOLDER      writes FOLDER/forms: the same images in other programs' formats
    python packed_images.py verify FOLDER     compares FOLDER/forms/….packed.h5 with the images

Run by scripts/test/data.sh. Needs Pillow, numpy and h5py. `compare` exits with 1 if a value differs by more than 1 of
255, `verify` if any value differs.
"""

import json
import struct
import sys
import zipfile
import zlib
from pathlib import Path

import h5py
import numpy as np
from PIL import Image, ImageOps


def picture(height, width, channels, seed):
    """Waves and noise, [height, width, channels], 0 to 255."""
    random = np.random.default_rng(seed)
    y, x, c = np.mgrid[0:height, 0:width, 0:channels]
    waves = 128 + 90 * np.sin(x / 5 + c) * np.cos(y / 7 - c) + 30 * random.standard_normal((height, width, channels))
    return np.clip(waves, 0, 255).astype(np.uint8)


def write_png(path, rows, depth, colour_type, interlaced=False, chunks=()):
    """Writes a PNG file of 8-bit or 16-bit samples [height, width, channels]. Pillow writes neither 16-bit colours nor
    interlaced files. `chunks`, pairs of kind and data, precede the pixels."""

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
    chunks = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(lines)), (b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, data) for kind, data in chunks))


def exif(orientation):
    """Little-endian EXIF data with nothing but an orientation."""
    data = Image.Exif()
    data[274] = orientation
    return data.tobytes()


def make_kinds(folder):
    """Writes a file of every kind, in two classes."""
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
    for kind, depth, channels in (("", 2, 3), ("-grey", 0, 1), ("-opacity", 6, 4), ("-grey-opacity", 4, 2)):
        write_png(
            drawn / f"sixteen-bits{kind}-interlaced.png", picture(50, 40, channels, 11).astype(int) * 257, 16, depth,
            interlaced=True)
    write_png(drawn / "gamma.png", picture(50, 40, 3, 12), 8, 2, chunks=[(b"gAMA", struct.pack(">I", 100_000))])
    write_png(
        drawn / "turned.png", picture(50, 40, 3, 13), 8, 2, chunks=[(b"eXIf", exif(8).removeprefix(b"Exif\0\0"))])
    Image.fromarray(picture(24, 24, 3, 7)).save(drawn / "of-this-size.png")
    Image.fromarray(picture(11, 13, 3, 8)).save(drawn / "small.png")
    colour.save(taken / "colour.jpg", quality=90)
    colour.save(taken / "progressive.jpeg", quality=90, progressive=True)
    grey.save(taken / "grey.JPG", quality=90)
    colour.convert("CMYK").save(taken / "inks.jpg", quality=90)
    Image.fromarray(picture(300, 417, 3, 9)).save(taken / "wide.jpg", quality=90)
    for orientation in range(1, 9):
        colour.save(taken / f"turned-{orientation}.jpg", quality=90, exif=exif(orientation))
    whole = (taken / "colour.jpg").read_bytes()
    (taken / "stray.jpg").write_bytes(whole[:-2] + b"\0\1\2" + whole[-2:] + b"more")


def make(folder):
    make_kinds(folder / "kinds")
    # All of one size, in three colour modes.
    (folder / "mixed").mkdir()
    for index in range(4):
        Image.fromarray(picture(32, 32, 1, 20 + index)[:, :, 0]).save(folder / "mixed" / f"grey-{index}.png")
        Image.fromarray(picture(32, 32, 3, 24 + index)).save(folder / "mixed" / f"colour-{index}.png")
    for index in range(2):
        Image.fromarray(picture(32, 32, 2, 28 + index), "LA").save(folder / "mixed" / f"opacity-{index}.png")
    images = picture(28 * 40, 28, 1, 10).reshape(40, 28, 28)
    labels = np.arange(40) % 10
    (folder / "idx").mkdir()
    for stem, part in (("train", slice(0, 32)), ("t10k", slice(32, 40))):
        for kind, values in (("images-idx3", images[part]), ("labels-idx1", labels[part])):
            write_idx(folder / "idx" / f"{stem}-{kind}-ubyte", values)
    (folder / "png").mkdir()
    padded = np.pad(images, ((0, 0), (2, 2), (2, 2)))
    for index, image in enumerate(padded[:32]):
        Image.fromarray(image).save(folder / "png" / f"{index:05}.png")
    with h5py.File(folder / "h5py.h5", "w") as file:
        file.create_dataset("images", data=padded[:32, :, :, None], chunks=(7, 32, 32, 1), compression="gzip")
        file["labels"] = labels[:32]


def write_idx(path, values, kind=8, dtype=np.uint8):
    header = bytes([0, 0, kind, values.ndim]) + np.array(values.shape, ">u4").tobytes()
    path.write_bytes(header + values.astype(dtype).tobytes())


class Forms:
    """Writes sources to a folder, each with the expected contents of its packed file."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.colours = picture(8 * 12, 8, 3, 20).reshape(12, 8, 8, 3)
        self.greys = self.colours[..., :1]
        self.labels = np.arange(12) * 5 % 3
        self.digits = np.array(["0", "1", "2"])

    def expect(self, source, images, labels=None, names=(), test_images=None, test_labels=None):
        parts = {"images": images, "labels": labels, "names": list(names)}
        parts |= {"test": test_images, "test_labels": test_labels}
        parts = {name: value for name, value in parts.items() if value is not None}
        np.savez(self.folder / f"{source.replace('/', '+')}.expected.npz", **parts)

    def hdf5(self, name, attributes={}, **datasets):
        with h5py.File(self.folder / name, "w") as file:
            for key, value in datasets.items():
                file[key] = value
            file.attrs.update(attributes)

    def files(self, source, files):
        """Writes PNG files; `files` has the index of each file's image by the file's name."""
        for name, index in files.items():
            path = self.folder / source / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(self.colours[index]).save(path)

    def splits(self):
        names = {"cat": 0, "dog": 1}
        self.files("splits", {f"Train/{name}/{n}.png": n for name, n in names.items()})
        self.files("splits", {f"valid/{name}/{n + 2}.png": n + 2 for name, n in names.items()})
        self.files("splits", {f"TEST/{name}/{n + 4}.png": n + 4 for name, n in names.items()})
        self.files("splits", {"__MACOSX/cat/0.png": 0})
        (self.folder / "splits" / "notes.txt").write_text("notes")
        self.expect("splits", self.colours[:2], [0, 1], names, self.colours[4:6], [0, 1])

    def hdf5_files(self):
        self.hdf5("booleans.h5", images=self.greys[..., 0], labels=self.labels == 1)
        self.expect("booleans.h5", self.greys, self.labels == 1, ["0", "1"])
        fixed = np.array([name.encode() for name in ("cat", "d\u00f6g", "cat")], h5py.string_dtype("utf-8", 8))
        self.hdf5("fixed.h5", {"class_names": fixed}, images=self.colours, labels=self.labels[:, None].astype(">u2"))
        self.expect("fixed.h5", self.colours, self.labels, ["cat", "d\u00f6g", "cat"])
        self.hdf5("variable.h5", images=self.colours, labels=self.labels.astype("i1"), class_names=["a", "b", "c"])
        self.expect("variable.h5", self.colours, self.labels, ["a", "b", "c"])
        self.hdf5("x-and-y.h5", x=self.colours, y=self.labels)
        self.hdf5("channels-first.h5", images=self.colours.transpose(0, 3, 1, 2))
        with h5py.File(self.folder / "lzf.h5", "w") as file:
            file.create_dataset("images", data=self.colours, compression="lzf")

    def mnist_folders(self):
        images = picture(28 * 12, 28, 1, 21).reshape(12, 28, 28)
        padded = np.pad(images, ((0, 0), (2, 2), (2, 2)))[..., None]
        clothes = ["t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"]
        raw = self.folder / "FashionMNIST" / "raw"
        raw.mkdir(parents=True)
        for stem in ("train", "t10k"):
            write_idx(raw / f"{stem}-images-idx3-ubyte", images)
            write_idx(raw / f"{stem}-labels-idx1-ubyte", np.arange(12) % 10)
        self.expect("FashionMNIST", padded, np.arange(12) % 10, clothes, padded, np.arange(12) % 10)
        raw = self.folder / "EMNIST" / "raw"
        raw.mkdir(parents=True)
        for name, labels in (("letters", np.arange(12) + 15), ("digits", np.arange(12) % 10)):
            for part in ("train", "test"):
                write_idx(raw / f"emnist-{name}-{part}-images-idx3-ubyte", images)
                write_idx(raw / f"emnist-{name}-{part}-labels-idx1-ubyte", labels)
        upright = padded.transpose(0, 2, 1, 3)
        letters = [chr(ord("a") + letter) for letter in range(26)]
        labels = np.arange(12) + 14
        self.expect("EMNIST/raw/emnist-letters", upright, labels, letters, upright, labels)

    def numpy_files(self):
        np.save(self.folder / "alone.npy", self.colours)
        self.expect("alone.npy", self.colours)
        np.savez(self.folder / "documented.npz", images=np.asfortranarray(self.greys[..., 0]), labels=self.labels)
        self.expect("documented.npz", self.greys, self.labels, self.digits)
        np.savez_compressed(
            self.folder / "medmnist.npz", train_images=self.greys[:6, ..., 0], train_labels=self.labels[:6, None],
            val_images=self.greys[6:8, ..., 0], val_labels=self.labels[6:8, None],
            test_images=self.greys[8:, ..., 0], test_labels=self.labels[8:, None])
        self.expect("medmnist.npz", self.greys[:6], self.labels[:6], self.digits, self.greys[8:], self.labels[8:])
        np.savez(
            self.folder / "keras.npz", x_train=self.colours[:9], y_train=self.labels[:9].astype(">i2"),
            x_test=self.colours[9:], y_test=self.labels[9:], class_names=["a", "b", "\u00e7"])
        names = ["a", "b", "\u00e7"]
        self.expect("keras.npz", self.colours[:9], self.labels[:9], names, self.colours[9:], self.labels[9:])
        np.savez(self.folder / "nameless.npz", self.colours, self.labels)
        self.expect("nameless.npz", self.colours, self.labels, self.digits)
        np.savez(self.folder / "fractions.npz", images=self.colours / 255)
        np.savez(self.folder / "unknown.npz", pictures=self.colours)

    def edm_folder(self):
        names = [f"{n // 5:05}/img{n:08}.png" for n in range(12)]
        self.files("edm", {name: n for n, name in enumerate(names)})
        pairs = [[name, int(label)] for name, label in zip(names, self.labels)]
        (self.folder / "edm" / "dataset.json").write_text(json.dumps({"labels": pairs}))
        self.expect("edm", self.colours, self.labels, self.digits)

    def archives(self):
        with zipfile.ZipFile(self.folder / "edm.zip", "w", zipfile.ZIP_STORED) as archive:
            for path in sorted((self.folder / "edm").rglob("*.*")):
                archive.write(path, path.relative_to(self.folder / "edm"))
        self.expect("edm.zip", self.colours, self.labels, self.digits)
        with zipfile.ZipFile(self.folder / "splits.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted((self.folder / "splits").rglob("*"), reverse=True):
                archive.write(path, path.relative_to(self.folder / "splits"))
        self.expect("splits.zip", self.colours[:2], [0, 1], ["cat", "dog"], self.colours[4:6], [0, 1])


def forms(folder):
    sources = Forms(folder / "forms")
    sources.splits()
    sources.hdf5_files()
    sources.mnist_folders()
    sources.numpy_files()
    sources.edm_folder()
    sources.archives()


def verify(folder):
    """Compares each packed file with the expected contents."""
    differing = []
    for path in sorted((folder / "forms").glob("*.expected.npz")):
        packed = path.with_name(path.name.replace(".expected.npz", ".packed.h5"))
        expected_parts = np.load(path)
        with h5py.File(packed) as file:
            packed_parts = {"images": file["images"][:], "names": list(file.attrs.get("class_names", []))}
            for key, dataset in (("labels", "labels"), ("test", "test/images"), ("test_labels", "test/labels")):
                if dataset in file:
                    packed_parts[key] = file[dataset][:]
        same = set(packed_parts) == set(expected_parts.files)
        same = same and all(np.array_equal(np.asarray(part), expected_parts[key]) for key, part in packed_parts.items())
        print(f"{packed.name}: {'the same' if same else 'ANOTHER'}")
        if not same:
            differing.append(packed.name)
    sys.exit(1 if differing else 0)


def expected(path, side):
    """The file's image by Pillow: upright, in colour, on white, cropped to the central square and resized."""
    image = ImageOps.exif_transpose(Image.open(path))
    # Pillow would clip values above 255.
    if image.mode.startswith("I"):
        image = Image.fromarray((np.array(image).astype(int) // 257).astype(np.uint8))
    image = image.convert("CMYK").convert("RGB") if image.mode == "CMYK" else image.convert("RGBA")
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    crop = min(image.size)
    left, top = (image.width - crop) // 2, (image.height - crop) // 2
    image = image.crop((left, top, left + crop, top + crop))
    if crop < side:
        return np.array(image.resize((side, side), Image.Resampling.BILINEAR))
    # Pillow's box filter counts each pixel entirely or not at all. If each pixel is first repeated `side` times along
    # both axes, the borders of the new pixels coincide with borders of repeated pixels, so the box filter gives means
    # over areas.
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
    largest = 0
    for path, image, label, checksum in zip(paths, images, labels, checksums):
        assert names[label] == path.parent.name, path
        assert zlib.crc32(image.tobytes()) == checksum, path
        difference = np.abs(image.astype(int) - expected(path, side)).max()
        print(f"{path.name}: {difference}")
        largest = max(largest, difference)
    sys.exit(1 if largest > 1 else 0)


def main():
    command, *arguments = sys.argv[1:]
    if command == "compare":
        packed, folder, side = arguments
        compare(packed, Path(folder), int(side))
    else:
        {"make": make, "forms": forms, "verify": verify}[command](Path(arguments[0]))


if __name__ == "__main__":
    main()
