"""Puts images of several HDF5 files into one PNG, a row for each file.

    python3 scripts/document/compose-sheet.py out.png images.h5 more.h5 ...

Each file has a dataset `images`, uint8 [N, H, W, C], as `ddpm-mpi sample`, `encode` and `decode` write it. Needs h5dump
(hdf5-tools), and nothing else.
"""

import re
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

RIM = 2


def read_images(path):
    """Rows of pixels of each image as bytes, and [N, H, W, C]."""
    header = subprocess.run(["h5dump", "-H", "-d", "/images", path], check=True, capture_output=True, text=True).stdout
    shape = [int(size) for size in re.search(r"SIMPLE \{ \(([^)]*)\)", header).group(1).split(",")]
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "images"
        subprocess.run(["h5dump", "-d", "/images", "-b", "LE", "-o", str(raw), path], check=True, capture_output=True)
        return raw.read_bytes(), shape


def strip(data, shape):
    """Images side by side with a dark rim around each, as rows of bytes."""
    count, height, width, channels = shape
    line = width * channels
    empty = bytes((count * (width + RIM) + RIM) * channels)
    rows = [empty] * RIM
    for y in range(height):
        row = bytes(RIM * channels)
        for image in range(count):
            start = (image * height + y) * line
            row += data[start : start + line] + bytes(RIM * channels)
        rows.append(row)
    return rows


def write_png(path, rows, channels):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    width = len(rows[0]) // channels
    header = struct.pack(">IIBBBBB", width, len(rows), 8, 2 if channels == 3 else 0, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    Path(path).write_bytes(data)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    rows, channels = [], None
    for path in sys.argv[2:]:
        data, shape = read_images(path)
        channels = channels or shape[3]
        rows += strip(data, shape)
    if any(len(row) != len(rows[0]) for row in rows):
        sys.exit("all files must have as many images, of one size")
    rows += [bytes(len(rows[0]))] * RIM
    write_png(sys.argv[1], rows, channels)


main()
