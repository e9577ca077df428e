#!/usr/bin/env bash
# Files from elsewhere as the program meets them: damaged, malicious, or no files at all. Nothing crashes, waits forever,
# takes all memory, or reads and writes what it was not given. Each case prints one line.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/shared/cases.sh

python=$(scripts/shared/find-python.sh h5py)
tiny=(--set training.batch=4 --set training.micro_batch=2 --set training.steps=2 --set sampling.count=2
  --set sampling.steps=2 --set model.channels=16 --set 'model.multipliers=[1, 1]' --set 'model.attention_resolutions=[16]'
  --set diffusion.process=vp-sde)
"$python" - "$folder" <<'PYTHON'
import gzip, h5py, numpy, struct, sys

folder = sys.argv[1]


def images(name, classes, count=24, side=32):
    with h5py.File(f"{folder}/{name}.h5", "w") as file:
        file["images"] = numpy.arange(count * side * side, dtype=numpy.uint64).reshape(count, side, side, 1).astype("u1")
        file["labels"] = numpy.arange(count) % len(classes)
        file.attrs["class_names"] = classes


images("two", ["a", "b"])
images("three", ["a", "b", "\x1b[31mred\x07"])
with h5py.File(f"{folder}/elsewhere.h5", "w") as file:
    file.create_dataset("images", (1, 2, 2, 1), "u1", external=[("/etc/passwd", 0, 4)])
for name in ["unwritten", "unwritten-labels"]:
    with h5py.File(f"{folder}/{name}.h5", "w") as file:
        file.create_dataset("images", (1 << 30, 32, 32, 1), "u1", chunks=(64, 32, 32, 1))
        if name == "unwritten-labels":
            file.create_dataset("labels", (1 << 30,), "i8", chunks=(1 << 20,))
with h5py.File(f"{folder}/nan.h5", "w") as file:
    file["latents"] = numpy.full((2, 32, 32, 1), numpy.nan, "f4")
    file["labels"] = numpy.zeros(2, "i8")
with h5py.File(f"{folder}/none.h5", "w") as file:
    file["latents"] = numpy.zeros((0, 32, 32, 1), "f4")
    file["labels"] = numpy.zeros(0, "i8")
with h5py.File(f"{folder}/many.h5", "w") as file:
    file.create_dataset("latents", (1 << 40, 32, 32, 1), "f4", chunks=(1, 32, 32, 1))
header = struct.pack(">HBBIII", 0, 8, 3, 400_000, 28, 28)
with gzip.open(f"{folder}/zeros.gz", "wb", compresslevel=9) as file:
    file.write(header)
    for _ in range(300):
        file.write(bytes(1 << 20))
PYTHON
mkfifo "$folder/fifo"

echo "--- what is no file"
run 2 'a pipe, not a file' "$program" pack "$folder/fifo" --output "$folder/x.h5"
run 4 'a pipe, not a file' "$program" inspect "$folder/fifo"
run 4 'a pipe, not a file' "$program" sample --checkpoint "$folder/fifo" --count 1 --output "$folder/x.h5"
run 2 'a pipe, not a file' "$program" train --config "$folder/fifo" --output "$folder/x"
run 2 'no such folder' "$program" report "$folder/fifo"
run 2 'a device, not a file' "$program" train --config /dev/zero --output "$folder/x"
run 2 'a device, not a file' "$program" fid /dev/zero "$folder/two.h5"
run 2 'a pipe, not a file' "$program" train --set data.name=hdf5 --set data.path="$folder/fifo" --output "$folder/x"
mkdir "$folder/run"
mkfifo "$folder/run/config.yaml"
run 2 'a pipe, not a file' "$program" train --resume --output "$folder/run"
run 2 'a pipe, not a file' "$program" report "$folder/run"

echo "--- HDF5 files of others"
run 0 'Packed 24 training images' "$program" pack "$folder/two.h5" --output "$folder/packed.h5"
run 0 'Packed 24 training images' "$program" pack "$folder/three.h5" --output "$folder/three-packed.h5"
run 0 '3 classes: a, b, \\u\{1b\}\[31mred\\u\{7\}' "$program" inspect "$folder/three-packed.h5"
check "... and nothing that commands a terminal" sh -c "! grep -q '$(printf '\033')' '$log'"
run 2 'in other files, which are not read' "$program" pack "$folder/elsewhere.h5" --output "$folder/x.h5"
run 2 'most of its values were never written' "$program" pack "$folder/unwritten.h5" --output "$folder/x.h5"
run 2 'labels: its 1073741824 elements would take more than the limit of 268435456 bytes, and the file stores 0' \
  "$program" pack "$folder/unwritten-labels.h5" --output "$folder/x.h5"
cp "$folder/packed.h5" "$folder/flipped.h5"
printf '\377' | dd of="$folder/flipped.h5" bs=1 seek=100 conv=notrunc status=none
for command in "pack $folder/flipped.h5 --output $folder/x.h5" \
  "train --set data.name=hdf5 --set data.path=$folder/flipped.h5 --output $folder/x"; do
  # shellcheck disable=SC2086
  run 2 'damaged outside of its tensors or images' "$program" $command
done

echo "--- bombs"
mkdir "$folder/idx"
mv "$folder/zeros.gz" "$folder/idx/train-images-idx3-ubyte.gz"
printf 'x' >"$folder/idx/train-labels-idx1-ubyte"
run 2 'unpack to more than the limit of 268435456; .*DDPM_UNPACKED_LIMIT.*gunzip' "$program" pack "$folder/idx" \
  --output "$folder/x.h5"
"$python" - "$folder" <<'PYTHON'
import sys, zipfile, numpy

folder = sys.argv[1]
numpy.savez_compressed(f"{folder}/bomb.npz", images=numpy.zeros((300, 1024, 1024, 1), "u1"))
with zipfile.ZipFile(f"{folder}/bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    for name in ["0.png", "1.png"]:
        archive.writestr(name, bytes(300 << 20))
with zipfile.ZipFile(f"{folder}/bomb.pth", "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("archive/data.pkl", bytes(300 << 20))
PYTHON
for file in bomb.npz bomb.zip; do
  run 2 "$file.* 268435456 bytes; .*DDPM_UNPACKED_LIMIT" "$program" pack "$folder/$file" --output "$folder/x.h5"
done
run 2 'bomb.pth: .*268435456 bytes; .*DDPM_UNPACKED_LIMIT' "$program" fid "$folder/packed.h5" "$folder/packed.h5" \
  --features inception --inception-weights "$folder/bomb.pth"
run 0 'Packed 300' env DDPM_UNPACKED_LIMIT=400000000 "$program" pack "$folder/bomb.npz" --output "$folder/x.h5"
run 2 'DDPM_UNPACKED_LIMIT is much; it must be a number of bytes' env DDPM_UNPACKED_LIMIT=much "$program" samplers

echo "--- values that cannot be"
run 0 'Done' "$program" train "${tiny[@]}" --set model.classes=2 --set data.name=hdf5 \
  --set data.path="$folder/packed.h5" --output "$folder/model"
decode=(decode --checkpoint "$folder/model" --output "$folder/x.h5" --grid "$folder/x.png" --latents)
run 2 '.latents.\[0\] has values that are not finite' "$program" "${decode[@]}" "$folder/nan.h5"
run 2 'contains no images' "$program" "${decode[@]}" "$folder/none.h5"
run 2 'never written' "$program" "${decode[@]}" "$folder/many.h5"
run 2 'a pipe, not a file' "$program" "${decode[@]}" "$folder/fifo"
run 2 'has values that are not finite' "$mpirun" 2 "$program" "${decode[@]}" "$folder/nan.h5"
for command in encode likelihood; do
  rest=(--output "$folder/x.h5")
  [[ $command == encode ]] || rest=(--method ode)
  run 2 'has 3 classes, but the model was trained with 2' "$program" "$command" --checkpoint "$folder/model" \
    --data-path "$folder/three-packed.h5" --split training --count 2 "${rest[@]}"
done

echo "--- models of others"
run 0 'Done' "$program" train "${tiny[@]}" --set diffusion.process=vp --set data.name=shapes --output "$folder/shapes"
run 0 '' "$program" export --checkpoint "$folder/shapes" "$folder/pipeline"
# refuse_changed TEXT OLD NEW: the pipeline with other text in its network's configuration (re.sub of bytes) is refused.
refuse_changed() {
  rm -rf "$folder/changed"
  cp -r "$folder/pipeline" "$folder/changed"
  check "$1: a changed pipeline" "$python" - "$folder/changed/unet/config.json" "$2" "$3" <<'PYTHON'
import re, sys

path, old, new = sys.argv[1], sys.argv[2].encode(), eval(sys.argv[3])
text = open(path, "rb").read()
changed, count = re.subn(old, lambda match: new, text, flags=re.DOTALL)
assert count == 1, text
open(path, "wb").write(changed)
PYTHON
  run 2 "$1" "$program" import "$folder/changed" --output "$folder/imported.h5"
}
refuse_changed 'in_channels: is 4611686018427387904, but must be from 1 to 65536' \
  '"in_channels" *: *3' 'b"\"in_channels\": 4611686018427387904"'
refuse_changed 'a string is not UTF-8' '"in_channels"' 'b"\"in_\xff\xfe\""'
refuse_changed 'nested more than 64 deep' '^.*$' 'b"[" * 1000000'

echo "--- a run's folder from elsewhere"
for name in journal.jsonl metrics.jsonl evaluations.jsonl config.yaml .lock .lock.held checkpoints samples tensorboard \
  checkpoints/step-00000003.h5 samples/step-00000009.png; do
  rm -rf "$folder/received"
  cp -r "$folder/shapes" "$folder/received"
  rm -rf "${folder:?}/received/$name"
  printf 'mine' >"$folder/target"
  [[ $name == checkpoints || $name == samples || $name == tensorboard ]] && target=$folder/model || target=$folder/target
  ln -s "$target" "$folder/received/$name"
  run 2 "$name is a link that points outside of" "$program" train --resume --set training.steps=3 --output "$folder/received"
  check "... which stays as it was" test "$(cat "$folder/target")" = mine
done
run 2 'is a link that points outside of' "$program" report "$folder/received" --output "$folder/x.html"
rm -rf "$folder/received"
cp -r "$folder/shapes" "$folder/received"
ln -s "$folder/target" "$folder/received/checkpoints/.step-00000003.h5.partial"
run 2 'is a link that points outside of' "$program" train --resume --set training.steps=3 --output "$folder/received"

finish
