"""Reads a run's event files with TensorBoard's own readers and compares them with the run's other files.

    python tensorboard_events.py RUN --files N --superseded FIRST-LAST [--cut BYTES]

The run was killed and resumed, and did the steps FIRST to LAST twice. --cut shortens the last but one file first (in a
copy), as if its writer had been killed in the middle of a record.
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

parser = argparse.ArgumentParser()
parser.add_argument("run", type=Path)
parser.add_argument("--files", type=int, required=True)
parser.add_argument("--superseded", required=True)
parser.add_argument("--cut", type=int, default=0)
arguments = parser.parse_args()
run = arguments.run
superseded = range(*(int(end) + i for i, end in enumerate(arguments.superseded.split("-"))))

with tempfile.TemporaryDirectory() as copy:
    folder = Path(copy) / "tensorboard"
    shutil.copytree(run / "tensorboard", folder)
    files = sorted(folder.iterdir())
    assert len(files) == arguments.files, files

    # Every byte belongs to a record.
    for file in files:
        data, place = file.read_bytes(), 0
        while place < len(data):
            place += 8 + 4 + struct.unpack_from("<Q", data, place)[0] + 4
        assert place == len(data), (file, place, len(data))
    cut = arguments.cut > 0
    if cut:
        files[-2].write_bytes(files[-2].read_bytes()[: -arguments.cut])

    # Every record has the checksums that the reader expects: the reader leaves at the first that has not.
    events = {file: list(event_file_loader.EventFileLoader(str(file)).Load()) for file in files}
    for file, loaded in events.items():
        assert loaded[0].file_version == "brain.Event:2", loaded[0]
        data, place, count = file.read_bytes(), 0, 0
        while place + 12 <= len(data):
            place += 8 + 4 + struct.unpack_from("<Q", data, place)[0] + 4
            count += place <= len(data)
        assert len(loaded) == count, (file, len(loaded), count)
    scalar_steps = [
        event.step
        for loaded in events.values()
        for event in loaded
        if any(value.tag == "training/loss" for value in event.summary.value)
    ]
    for step in superseded:
        # The killed run's last record may be the one that was cut.
        expected = 1 if cut and step == superseded[-1] else 2
        assert scalar_steps.count(step) == expected, (step, scalar_steps.count(step))

    everything = {kind: 0 for kind in ("scalars", "images", "tensors")}
    accumulator = event_accumulator.EventAccumulator(str(folder), size_guidance=everything)
    accumulator.Reload()
    tags = accumulator.Tags()

    metrics = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    names = [name for name in metrics[0] if name != "step"]

    assert sorted(tags["scalars"]) == sorted(f"training/{name}" for name in names), tags
    for name in names:
        read = [(event.step, event.value) for event in accumulator.Scalars(f"training/{name}")]
        written = [(line["step"], float(np.float32(line[name]))) for line in metrics]
        assert read == written, (name, read, written)

    assert tags["images"] == ["samples"], tags
    sheets = accumulator.Images("samples")
    paths = sorted((run / "samples").glob("step-*.png"))
    assert [sheet.step for sheet in sheets] == [int(path.stem[len("step-"):]) for path in paths], sheets
    for sheet, path in zip(sheets, paths):
        assert sheet.encoded_image_string == path.read_bytes(), path
        decoded = Image.open(io.BytesIO(sheet.encoded_image_string))
        decoded.load()
        assert decoded.size == (sheet.width, sheet.height), (decoded.size, sheet.width, sheet.height)

    # The reader behind TensorBoard's own pages, which sees tensors everywhere; the one above drops no superseded texts.
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
