"""Arranges the images of several HDF5 files in one PNG, a row for each file.

    python3 scripts/document/compose-sheet.py out.png images.h5 more.h5 ...

Each file has a dataset `images`, uint8 [N, H, W, C], as written by `ddpm-mpi sample`, `encode` and `decode`. Needs only
h5dump (hdf5-tools). scripts/document/theory-page.sh runs this.
"""

import re
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

MARGIN = 2


def read_images(path):
    """The images' bytes and their shape [N, H, W, C]."""
    header = subprocess.run(["h5dump", "-H", "-d", "/images", path], check=True, capture_output=True, text=True).stdout
    shape = [int(size) for size in re.search(r"SIMPLE \{ \(([^)]*)\)", header).group(1).split(",")]
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "images"
        subprocess.run(["h5dump", "-d", "/images", "-b", "LE", "-o", str(raw), path], check=True, capture_output=True)
        return raw.read_bytes(), shape


def sheet_rows(data, shape):
    """The images side by side with a dark margin around each, as rows of bytes."""
    count, height, width, channels = shape
    line_size = width * channels
    empty_row = bytes((count * (width + MARGIN) + MARGIN) * channels)
    rows = [empty_row] * MARGIN
    for y in range(height):
        row = bytes(MARGIN * channels)
        for image in range(count):
            start = (image * height + y) * line_size
            row += data[start : start + line_size] + bytes(MARGIN * channels)
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
        rows += sheet_rows(data, shape)
    if any(len(row) != len(rows[0]) for row in rows):
        sys.exit("all files must have as many images, of one size")
    rows += [bytes(len(rows[0]))] * MARGIN
    write_png(sys.argv[1], rows, channels)


if __name__ == "__main__":
    main()
