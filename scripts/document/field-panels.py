"""Shows ensembles beside the truth, in a PNG with a row for each case: what was given, the truth, three members, and
the ensemble's mean and standard deviation.

    python3 scripts/document/field-panels.py out.png test.h5 ensemble.nc --given vorticity_coarse --cases 0 1 2

test.h5 is a file of packed fields, whose field n is the truth of condition n in ensemble.nc, as `ddpm-mpi sample
--condition test.h5` writes it. Fields have a scale for each row, symmetric about zero, and standard deviations one from
zero to their largest value; the colours are those of the program's own sheets. Prints both ends. Needs numpy and h5py.
"""

import argparse
import struct
import zlib
from pathlib import Path

import h5py
import numpy as np

MARGIN = 4
SHOWN_MEMBERS = 3
WHITE = 255
# Colours 0 to 126 are the diverging map, 127 to 253 the sequential one, 255 is the margin.
MAP_SIZE = 127


def colours(lightness, chroma, hue):
    """Bytes of sRGB for colours of OKLab (Ottosson 2020), with the hue in degrees."""
    a, b = chroma * np.cos(np.radians(hue)), chroma * np.sin(np.radians(hue))
    roots = np.stack([
        lightness + 0.3963377774 * a + 0.2158037573 * b, lightness - 0.1055613458 * a - 0.0638541728 * b,
        lightness - 0.0894841775 * a - 1.2914855480 * b])
    linear = np.array([
        [4.0767416621, -3.3077115913, 0.2309699292], [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010]]) @ roots**3
    linear = linear.clip(0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(255 * encoded.T).astype(np.uint8)


def palette():
    """The maps of Sources/FieldPictures, and white."""
    position = np.linspace(0, 1, MAP_SIZE)
    distance = np.abs(2 * position - 1)
    diverging = colours(0.96 - 0.54 * distance, 0.15 * distance, np.where(position < 0.5, 260, 28))
    sequential = colours(0.25 + 0.68 * position, 0.16, 270 + 198 * position)
    rest = np.full((256 - 2 * MAP_SIZE, 3), 255, np.uint8)
    return np.concatenate([diverging, sequential, rest])


def indices(field, low, high, first_colour):
    position = ((field - low) / max(high - low, 1e-30)).clip(0, 1)
    return (first_colour + np.rint(position * (MAP_SIZE - 1))).astype(np.uint8)


def row(panels, spread, scale):
    """Panels beside each other, each point enlarged `scale` times."""
    limit = max(float(np.abs(panel).max()) for panel in panels[:2])
    drawn = [indices(panel, -limit, limit, 0) for panel in panels] + [indices(spread, 0, spread.max(), MAP_SIZE)]
    print(f"fields from {-limit:.3g} to {limit:.3g}, standard deviation from 0 to {spread.max():.3g}")
    drawn = [np.pad(panel.repeat(scale, 0).repeat(scale, 1), MARGIN // 2, constant_values=WHITE) for panel in drawn]
    return np.concatenate(drawn, 1)


def write_png(path, pixels):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    height, width = pixels.shape
    lines = np.concatenate([np.zeros((height, 1), np.uint8), pixels], 1).tobytes()
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0))
        + chunk(b"PLTE", palette().tobytes()) + chunk(b"IDAT", zlib.compress(lines, 9)) + chunk(b"IEND", b""))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("truth")
    parser.add_argument("ensemble")
    parser.add_argument("--variable", default="vorticity")
    parser.add_argument("--given", help="the channel of the truth's file that was given")
    parser.add_argument("--cases", type=int, nargs="+", default=[0])
    parser.add_argument("--scale", type=int, default=2, help="pixels for each point")
    options = parser.parse_args()
    with h5py.File(options.truth) as file:
        names = [name.decode() if isinstance(name, bytes) else str(name) for name in file["fields"].attrs["names"]]
        truths = {case: file["fields"][case] for case in options.cases}
    with h5py.File(options.ensemble) as file:
        ensembles = {case: file[options.variable][case].astype(np.float64) for case in options.cases}
    rows = []
    for case in options.cases:
        truth, ensemble = truths[case], ensembles[case]
        shown = [options.given] if options.given else []
        panels = [truth[..., names.index(name)] for name in [*shown, options.variable]]
        panels += [*ensemble[:SHOWN_MEMBERS], ensemble.mean(0)]
        rows.append(row(panels, ensemble.std(0, ddof=1), options.scale))
    write_png(options.output, np.concatenate(rows))


if __name__ == "__main__":
    main()
