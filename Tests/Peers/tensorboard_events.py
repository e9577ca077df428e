"""Reads a run's event files with TensorBoard's own readers and compares them with the run's other files.

    python tensorboard_events.py RUN --files N --superseded FIRST-LAST [--cut BYTES]

The run must have N event files. It was killed and resumed, and made the steps FIRST to LAST twice. --cut shortens the
last file but one (in a copy), as if its writer had been killed in the middle of a record. Run by
scripts/test/peers/tensorboard.sh. Needs tensorboard, numpy and Pillow.
"""

import argparse
import io
import json
import shutil
import struct
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from tensorboard.backend.event_processing import event_accumulator, event_file_loader, plugin_event_accumulator
from tensorboard.plugin_util import markdown_to_safe_html


def record_ends(data):
    """The end position of each record, computed from the lengths. A truncated record ends after the data."""
    ends, position = [], 0
    while position + 12 <= len(data):
        position += 8 + 4 + struct.unpack_from("<Q", data, position)[0] + 4
        ends.append(position)
    return ends


def check_records(files, superseded, cut):
    """Compares the records of all files with the steps that were made."""
    # The reader stops at the first record with a wrong checksum.
    events = {file: list(event_file_loader.EventFileLoader(str(file)).Load()) for file in files}
    for file, loaded in events.items():
        assert loaded[0].file_version == "brain.Event:2", loaded[0]
        data = file.read_bytes()
        count = sum(end <= len(data) for end in record_ends(data))
        assert len(loaded) == count, (file, len(loaded), count)
    scalar_steps = [
        event.step
        for loaded in events.values()
        for event in loaded
        if any(value.tag == "training/loss" for value in event.summary.value)
    ]
    for step in superseded:
        # The last record of the killed run may be the truncated one.
        expected = 1 if cut and step == superseded[-1] else 2
        assert scalar_steps.count(step) == expected, (step, scalar_steps.count(step))


def check_metrics(accumulator, metrics):
    names = [name for name in metrics[0] if name != "step"]
    tags = accumulator.Tags()
    assert sorted(tags["scalars"]) == sorted(f"training/{name}" for name in names), tags
    for name in names:
        read = [(event.step, event.value) for event in accumulator.Scalars(f"training/{name}")]
        written = [(line["step"], float(np.float32(line[name]))) for line in metrics]
        assert read == written, (name, read, written)


def check_images(accumulator, run):
    tags = accumulator.Tags()
    assert tags["images"] == ["samples"], tags
    sheets = accumulator.Images("samples")
    paths = sorted((run / "samples").glob("step-*.png"))
    assert [sheet.step for sheet in sheets] == [int(path.stem[len("step-"):]) for path in paths], sheets
    for sheet, path in zip(sheets, paths):
        assert sheet.encoded_image_string == path.read_bytes(), path
        decoded = Image.open(io.BytesIO(sheet.encoded_image_string))
        decoded.load()
        assert decoded.size == (sheet.width, sheet.height), (decoded.size, sheet.width, sheet.height)


def check_page_data(folder, run, metrics, superseded):
    """Checks the data of TensorBoard's pages, whose reader treats everything as tensors and drops superseded texts."""
    accumulator = plugin_event_accumulator.EventAccumulator(str(folder), tensor_size_guidance={"text": 0, "scalars": 0})
    accumulator.Reload()
    losses = accumulator.Tensors("training/loss")
    assert [event.step for event in losses] == [line["step"] for line in metrics], losses
    texts = accumulator.Tensors("configuration")
    assert [event.step for event in texts] == [1, superseded[0]], [event.step for event in texts]
    markdown = texts[-1].tensor_proto.string_val[0].decode()
    assert markdown == "```yaml\n" + (run / "config.yaml").read_text() + "```\n", markdown
    html = markdown_to_safe_html(markdown)
    assert "<pre><code" in html and "training:\n" in html, html


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("--files", type=int, required=True)
    parser.add_argument("--superseded", required=True)
    parser.add_argument("--cut", type=int, default=0)
    arguments = parser.parse_args()
    run = arguments.run
    superseded = range(*(int(end) + i for i, end in enumerate(arguments.superseded.split("-"))))
    metrics = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]

    with tempfile.TemporaryDirectory() as copy:
        folder = Path(copy) / "tensorboard"
        shutil.copytree(run / "tensorboard", folder)
        files = sorted(folder.iterdir())
        assert len(files) == arguments.files, files

        # Every byte belongs to a record.
        for file in files:
            data = file.read_bytes()
            end = record_ends(data)[-1]
            assert end == len(data), (file, end, len(data))
        if arguments.cut > 0:
            files[-2].write_bytes(files[-2].read_bytes()[: -arguments.cut])
        check_records(files, superseded, arguments.cut > 0)

        everything = {kind: 0 for kind in ("scalars", "images", "tensors")}
        accumulator = event_accumulator.EventAccumulator(str(folder), size_guidance=everything)
        accumulator.Reload()
        check_metrics(accumulator, metrics)
        check_images(accumulator, run)
        check_page_data(folder, run, metrics, superseded)


if __name__ == "__main__":
    main()
