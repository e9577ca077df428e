#!/usr/bin/env bash
# Data sets of the user's own, as the program meets them: packing, training from a packed file and from a folder, and
# what happens when images are damaged or missing, on one rank or on all. Each case prints one line.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/shared/cases.sh

python=$(scripts/shared/find-python.sh h5py PIL)
"$python" Tests/Peers/packed_images.py make "$folder"

tiny=(--set training.batch=8 --set training.micro_batch=2 --set training.steps=6 --set training.sample_every=6
  --set training.checkpoint_every=3 --set training.log_every=2 --set sampling.count=2 --set sampling.steps=2
  --set model.channels=16 --set 'model.multipliers=[1, 1]' --set 'model.attention_resolutions=[16]')

# same TEXT RUN RUN: two runs' last checkpoints must hold the same bits.
same() {
  local group
  for group in model ema optimizer; do
    check "$1: /$group" h5diff "$2"/checkpoints/step-00000006.h5 "$3"/checkpoints/step-00000006.h5 "/$group"
  done
}

echo "--- packing"
kinds=(pack "$folder/kinds" --size 24 --background white)
for threads in 1 2; do
  run 0 'Packed 32 training images of 24x24x3, 2 classes, into' \
    "$program" "${kinds[@]}" --threads "$threads" --name kinds --output "$folder/kinds-$threads.h5"
done
check "... with a progress bar" grep -qE '^packing \[=+\] 32/32  ' "$log"
check "... and a word on small ones" grep -q '1 image smaller than 24x24 will be enlarged' "$log"
check "... and on turned ones" grep -q '^Rotated 8 images according to EXIF' "$log"
check "as Pillow does it" "$python" Tests/Peers/packed_images.py compare "$folder/kinds-1.h5" "$folder/kinds" 24
check "the same on two threads" h5diff "$folder/kinds-1.h5" "$folder/kinds-2.h5"
run 0 'Packed 32 training and 8 test images of 32x32x1, 10 classes' "$program" pack "$folder/idx" \
  --output "$folder/packed.h5"
run 0 'Packed 32 training images of 32x32x1, 10 classes' "$program" pack "$folder/h5py.h5" \
  --output "$folder/from-h5py.h5"
check "from a file by h5py, the same images" h5diff "$folder/packed.h5" "$folder/from-h5py.h5" /images
check "... labels and checksums" sh -c "h5diff '$folder/packed.h5' '$folder/from-h5py.h5' /labels &&
  h5diff '$folder/packed.h5' '$folder/from-h5py.h5' /crc32"
# With checksums, but in chunks: for packing again.
check "h5repack makes chunks" h5repack -l images:CHUNK=8x32x32x1 -f images:GZIP=1 "$folder/packed.h5" \
  "$folder/chunks.h5"
run 0 'Packed 32 training and 8 test images of 32x32x1, 10 classes' "$program" pack "$folder/chunks.h5" \
  --output "$folder/again.h5"
check "... which packing undoes" h5diff "$folder/packed.h5" "$folder/again.h5"
run 0 'Packed 64 training and 32 test images of 8x8x3, no classes, into' "$program" pack "$folder/png" "$folder/png" \
  --test "$folder/kinds/drawn" --test "$folder/kinds/taken" --size 8 --background black --force \
  --output "$folder/from-h5py.h5" --name mine --flips
check "... with name and flips" "$python" - "$folder/from-h5py.h5" <<'PYTHON'
import h5py, sys
with h5py.File(sys.argv[1]) as file:
    assert file.attrs["name"] == "mine" and file.attrs["allows_flips"] == 1 and "labels" not in file, dict(file.attrs)
PYTHON
run 2 'packed.h5 exists; use --force to replace it' "$program" pack "$folder/idx" --output "$folder/packed.h5"
run 2 'none: there is no such file or folder' "$program" pack "$folder/none" --output "$folder/x.h5"
run 2 'cannot write .*none/x.h5' "$program" pack "$folder/idx" --output "$folder/none/x.h5"
run 2 'kinds: its images are not all alike: .* of 70x90 pixels .such as drawn/colour.png., .* more kinds; .*--size N' \
  "$program" pack "$folder/kinds" --output "$folder/x.h5"
run 2 'kinds: of its 32 images 5 have transparent pixels, the first drawn/grey-transparent.png; .*--background' \
  "$program" pack "$folder/kinds" --size 24 --skip-damaged --output "$folder/x.h5"
run 2 '417x300 pixels are more than the limit of 100000; .*--pixel-limit' "$program" pack "$folder/kinds" --size 24 \
  --background white --pixel-limit 100000 --skip-damaged --output "$folder/x.h5"
run 2 '--background white applies to image files, but no source is a folder' "$program" pack "$folder/idx" \
  --background white --output "$folder/x.h5"
run 2 'has no classes, but another source has' "$program" pack "$folder/png" "$folder/kinds" --size 8 \
  --output "$folder/x.h5"
run 2 'has images of 32x32 pixels, but .* has 8x8; use --size N' "$program" pack "$folder/from-h5py.h5" "$folder/png" \
  --output "$folder/x.h5"
run 2 '--size is 0; it must be from 1 to 8192' "$program" pack "$folder/png" --size 0 --output "$folder/x.h5"
run 2 'pack works in one process: run it without mpirun' "$mpirun" 2 "$program" pack "$folder/png" \
  --output "$folder/x.h5"

run 0 '^/images: 32 images, whole' "$program" inspect "$folder/packed.h5"
check "... tests too" grep -q '^/test/images: 8 images, whole' "$log"

echo "--- damaged images"
cp -r "$folder/png" "$folder/broken"
printf 'no image' >"$folder/broken/00003.png"
head -c 200 "$folder/png/00017.png" >"$folder/broken/00017.png"
run 2 '00003.png: cannot be read as an image: this is neither a PNG nor a JPEG file' \
  "$program" pack "$folder/broken" --output "$folder/x.h5"
rm "$folder/broken/00003.png"
run 2 '00017.png: cannot be read as an image: .*--skip-damaged' "$program" pack "$folder/broken" --output "$folder/x.h5"
check "nothing was left behind" sh -c "! ls -A '$folder' | grep -E 'x\.h5'"
printf 'no image' >"$folder/broken/00003.png"
run 0 'Packed 30 training images of 32x32x1, no classes, 2 unusable images left out' \
  "$program" pack "$folder/broken" --skip-damaged --output "$folder/x.h5"
check "... which are listed" sh -c "grep -q 'left out .*00003.png: ' '$log' && grep -q 'left out .*00017.png: ' '$log'"
check "... and the others are there" "$python" - "$folder" <<'PYTHON'
import h5py, sys
with h5py.File(sys.argv[1] + "/x.h5") as few, h5py.File(sys.argv[1] + "/packed.h5") as all:
    kept = [index for index in range(32) if index not in (3, 17)]
    assert (few["images"][:] == all["images"][:][kept]).all()
PYTHON

# What is no image at all, though its name or place says so: no pipe is waited for.
mkdir "$folder/no-images"
cp "$folder/png/00000.png" "$folder/no-images/a.jfif"
cp "$folder/png/00001.png" "$folder/no-images/b.webp"
mkfifo "$folder/no-images/c.png"
ln -s /nowhere "$folder/no-images/d.png"
cp "$folder/png/00002.png" "$folder/no-images/$(printf 'e\377.png')"
run 2 'b.webp: this image format is not supported; .*--skip-damaged' "$program" pack "$folder/no-images" \
  --output "$folder/y.h5"
run 2 'b.webp: this image format is not supported' "$program" train "${tiny[@]}" --set data.name=folder \
  --set data.path="$folder/no-images" --output "$folder/y"
run 0 'Packed 1 training images of 32x32x1, no classes, 4 unusable images left out' \
  "$program" pack "$folder/no-images" --skip-damaged --output "$folder/y.h5"
for text in 'b.webp: this image format' 'c.png: is neither a file nor' 'd.png: cannot be opened' 'its name is not UTF-8'; do
  check "... and listed: $text" grep -q "left out .*$text" "$log"
done
run 2 'c.png: it is a pipe, not a file' "$program" pack "$folder/no-images/c.png" --output "$folder/y2.h5"

echo "--- data of other programs"
"$python" Tests/Peers/packed_images.py forms "$folder"
forms=$folder/forms

# packs SOURCE TEXT: a source is packed, and the summary says the text.
packs() {
  run 0 "$2" "$program" pack "$forms/$1" --output "$forms/${1//\//+}.packed.h5"
}
packs splits 'Packed 2 training and 2 test images of 8x8x3, 2 classes, '
check "... the summary tells what became of each subfolder" grep -qF "From $forms/splits: TEST: 2 images, for tests; \
Train: 2 images, for training; valid: 2 images, left out (to use it instead of TEST: --test $forms/splits/valid); \
__MACOSX: a system folder, left out; 1 file that is not an image, left out." <(tr -d '\n' <"$log")
check "... and the classes" grep -qxF 'Classes: cat, dog.' "$log"
run 0 '^data: +splits, 2 images of 8x8x3$' "$program" train "${tiny[@]}" --set 'model.attention_resolutions=[]' \
  --set training.batch=2 --set data.name=folder --set data.path="$forms/splits" --output "$folder/splits-1"
check "... training says so too" grep -q '^ *valid: 2 images, left out' "$log"
mkdir "$folder/transport"
cp -r "$forms/splits/Train" "$folder/transport/train"
cp -r "$forms/splits/Train/cat" "$folder/transport/ship"
run 2 'transport/ship: is neither for training nor for tests, .*--no-splits' "$program" pack "$folder/transport" \
  --output "$folder/y2.h5"
run 0 '^Classes: ship, train' "$program" pack "$folder/transport" --no-splits --output "$folder/transport.h5"
packs booleans.h5 'Packed 12 training images of 8x8x1, 2 classes'
packs fixed.h5 'Packed 12 training images of 8x8x3, 3 classes'
packs variable.h5 'Packed 12 training images of 8x8x3, 3 classes'
packs FashionMNIST 'Packed 12 training and 12 test images of 32x32x1, 10 classes'
packs EMNIST/raw/emnist-letters 'Packed 12 training and 12 test images of 32x32x1, 26 classes'
check "... and those without images are named" grep -q '^Without training images: a, b, c, ' "$log"
run 2 'it has several data sets \(emnist-digits, emnist-letters\); choose one of them: .*raw/emnist-digits' \
  "$program" pack "$forms/EMNIST" --output "$folder/y2.h5"
packs edm 'Packed 12 training images of 8x8x3, 3 classes'
packs edm.zip 'Packed 12 training images of 8x8x3, 3 classes'
packs splits.zip 'Packed 2 training and 2 test images of 8x8x3, 2 classes'
check "... with a word on each folder" grep -q 'splits.zip: TEST: 2 .*; Train: 2 .*; valid: 2 .*left out' "$log"
packs alone.npy 'Packed 12 training images of 8x8x3, no classes'
packs documented.npz 'Packed 12 training images of 8x8x1, 3 classes'
packs medmnist.npz 'Packed 6 training and 4 test images of 8x8x1, 3 classes'
check "... with a word on the others" grep -q 'medmnist.npz: .*; val_images: left out; val_labels: left out\.' "$log"
packs keras.npz 'Packed 9 training and 3 test images of 8x8x3, 3 classes'
packs nameless.npz 'Packed 12 training images of 8x8x3, 3 classes'
check "every one holds what its source does" "$python" Tests/Peers/packed_images.py verify "$folder"
run 2 'it has no dataset .images., but x, y; an HDF5 file of images has' "$program" pack "$forms/x-and-y.h5" \
  --output "$folder/y2.h5"
run 2 'but is uint8 \[12, 3, 8, 8\]; .*images.transpose\(0, 2, 3, 1\)' "$program" pack "$forms/channels-first.h5" \
  --output "$folder/y2.h5"
run 2 'fractions.npz: images must be uint8 .* but is <f8 \[12, 8, 8, 3\]' "$program" pack "$forms/fractions.npz" \
  --output "$folder/y2.h5"
run 2 'unknown.npz: it has no array .images., but pictures; write' "$program" pack "$forms/unknown.npz" \
  --output "$folder/y2.h5"
# Debian's plugin may be installed.
run 2 'lzf.h5: .images. is compressed by LZF .*hdf5-plugin-lzf' env HDF5_PLUGIN_PATH=/nowhere "$program" pack \
  "$forms/lzf.h5" --output "$folder/y2.h5"
for name in a.parquet a.arrow a.tar a.mdb a.tfrecord a.pkl a.mat; do printf 'something' >"$folder/$name"; done
printf 'PAR1' >"$folder/file"
for text in 'a.parquet: is Parquet' 'a.arrow: is Arrow' 'a.tar: is a tar' 'a.mdb: is LMDB' 'a.tfrecord: is TFRecord' \
  'a.pkl: is a Python pickle' 'a.mat: is MATLAB' 'file: is Parquet'; do
  run 2 "$text.* not supported; .*\.npz" "$program" pack "$folder/${text%%:*}" --output "$folder/y2.h5"
done
printf 'something' >"$folder/something"
run 2 'something: this is not an HDF5 file; .*has .images., uint8' "$program" pack "$folder/something" \
  --output "$folder/y2.h5"
check "... nor is a packed file asked for" sh -c "! grep -q 'has written' '$log'"
check "none of them left a file behind" sh -c "! ls -A '$folder' | grep -E 'y2\.h5'"

echo "--- the same bits from every form"
run 0 'Done' "$program" train "${tiny[@]}" --set data.name=mnist --set data.path="$folder/idx" --output "$folder/idx-1"
run 0 'data: +idx, 32 images of 32x32x1' "$program" train "${tiny[@]}" \
  --set data.name=hdf5 --set data.path="$folder/packed.h5" --output "$folder/hdf5-1"
run 0 'Done' "$mpirun" 2 "$program" train "${tiny[@]}" --set data.name=hdf5 --set data.path="$folder/packed.h5" \
  --output "$folder/hdf5-2"
run 0 'data: +png, 32 images of 32x32x1' "$mpirun" 2 "$program" train "${tiny[@]}" --set data.name=folder \
  --set data.path="$folder/png" --output "$folder/folder-2"
same "a packed file" "$folder/idx-1" "$folder/hdf5-1"
same "a packed file on two ranks" "$folder/idx-1" "$folder/hdf5-2"
same "a folder" "$folder/idx-1" "$folder/folder-2"
run 0 'Done' "$program" train "${tiny[@]}" --set data.name=hdf5 --set data.path="$folder/packed.h5" \
  --set training.steps=3 --output "$folder/resumed"
run 0 'step-00000003.h5, step 3' "$mpirun" 2 "$program" train --resume --set training.steps=6 \
  --output "$folder/resumed"
same "a packed file, resumed" "$folder/idx-1" "$folder/resumed"
classes=(--set data.name=hdf5 --set data.path="$folder/packed.h5" --set model.classes=10)
run 0 'Accuracy on 8 noisy test images' "$mpirun" 2 "$program" train-classifier "${tiny[@]}" "${classes[@]}" \
  --output "$folder/judge"
run 0 'bits per dimension \(variational bound; 2 test images of' "$program" likelihood --checkpoint "$folder/hdf5-1" \
  --method bound --count 2
refuse 'nowhere.h5' likelihood --checkpoint "$folder/hdf5-1" --data-path "$folder/nowhere.h5" --method bound --count 2
refuse 'png: it has no test images' likelihood --checkpoint "$folder/folder-2" --method bound --count 2
refuse 'model.classes is 10, but folder has no classes' train "${tiny[@]}" --set model.classes=10 \
  --set data.name=folder --set data.path="$folder/png" --output "$folder/y"
refuse 'data.path: hdf5 has no default location; give the file that' train "${tiny[@]}" --set data.name=hdf5 \
  --output "$folder/y"
refuse 'h5py.h5: it has no seal at its end.*ddpm-mpi pack .*h5py.h5 --output NEW.h5' train "${tiny[@]}" \
  --set data.name=hdf5 --set data.path="$folder/h5py.h5" --output "$folder/y"
refuse 'chunks.h5: it has no seal at its end.*ddpm-mpi pack' train "${tiny[@]}" \
  --set data.name=hdf5 --set data.path="$folder/chunks.h5" --output "$folder/y"
refuse 'step-00000006.h5: it has no dataset .images' train "${tiny[@]}" --set data.name=hdf5 \
  --set data.path="$folder/idx-1/checkpoints/step-00000006.h5" --output "$folder/y"
mixed=(--set data.name=folder --set data.path="$folder/mixed")
refuse 'mixed: its images are not all alike: 6 of 32x32 pixels in grey .such as grey-0.png., 4 of .* in colour .such as colour-0.png.; convert all of them with --channels .* data.channels' \
  train "${tiny[@]}" "${mixed[@]}" --output "$folder/y"
refuse 'mixed: of its 10 images 2 have transparent pixels, the first opacity-0.png; .*data.background' \
  train "${tiny[@]}" "${mixed[@]}" --set data.channels=3 --output "$folder/y"
run 0 'data: +mixed, 10 images of 32x32x3' "$mpirun" 2 "$program" train "${tiny[@]}" "${mixed[@]}" \
  --set data.channels=3 --set data.background=white --set training.steps=1 --output "$folder/mixed-2"
run 2 'data.background is black, but the run to resume was started with white' "$program" train --resume \
  --set data.background=black --output "$folder/mixed-2"
run 0 'FID.* 0.0000 ' "$program" fid "$folder/mixed" "$folder/mixed" --channels 1 --background black
run 2 'mixed: of its 10 images 2 have transparent pixels' "$program" fid "$folder/mixed" "$folder/mixed" --channels 1
run 2 '--background, --channels and --orientation apply to image files' "$program" fid "$folder/packed.h5" \
  "$folder/packed.h5" --orientation as-stored
run 2 '--background is for image files, data.name folder, but' "$program" likelihood --checkpoint "$folder/hdf5-1" \
  --method bound --count 2 --background black
refuse 'kinds: its images are not all alike: .*pack .*kinds' train "${tiny[@]}" --set data.name=folder \
  --set data.path="$folder/kinds" --output "$folder/y"

echo "--- other data on one rank"
# Relative paths lead each rank to files of its own, as on machines that share no file system.
cat >"$folder/apart.sh" <<'SH'
#!/usr/bin/env bash
cd "$(dirname "$0")/rank-${OMPI_COMM_WORLD_RANK:-$PMI_RANK}" && exec "$@"
SH
chmod +x "$folder/apart.sh"
for rank in 0 1; do
  mkdir "$folder/rank-$rank"
  cp -r "$folder/packed.h5" "$folder/png" "$folder/rank-$rank"
done
long=(--set training.steps=1000000 --set training.checkpoint_every=1000000 --set training.sample_every=1000000)

# apart TEXT ARGUMENT...: the job ends with status 2 and exactly one message, which names rank 1.
apart() {
  local text=$1
  shift
  run 2 "ddpm-mpi: rank 1: $text" "$mpirun" 2 "$folder/apart.sh" "$program" train "${tiny[@]}" "${long[@]}" "$@" \
    --output "$folder/apart"
  check "... once" test "$(grep -cE 'ddpm-mpi:|Error:' "$log")" = 1
  check "... and no process is left" test -z "$(pgrep -f "^$program train .*--output $folder/apart")"
  rm -rf "$folder/apart"
}
from_file=(--set data.name=hdf5 --set data.path=packed.h5)
from_folder=(--set data.name=folder --set data.path=png)

# The bytes of one image; its checksum stays, so that nothing shows before it is read.
damage() {
  local offset
  offset=$(h5dump -p -H -d /images "$1" | awk '$1 == "OFFSET" { print $2 }')
  printf '\377\376\375' | dd of="$1" bs=1 seek="$((offset + $2 * 1024 + 500))" conv=notrunc status=none
}
damage "$folder/rank-1/packed.h5" 11
run 2 '^/images: 32 images, DAMAGED: 11$' "$program" inspect "$folder/rank-1/packed.h5"
check "... in its message" grep -qE 'ddpm-mpi: .*packed.h5: images\[11\] is damaged' "$log"
apart 'packed.h5: images\[11\] is damaged: its checksum does not match; fetch the file again' "${from_file[@]}"
truncate -s 20000 "$folder/rank-1/packed.h5"
apart 'packed.h5: it has no seal at its end: it is truncated' "${from_file[@]}"
rm "$folder/rank-1/packed.h5"
apart 'packed.h5: there is no such file' "${from_file[@]}"
cp "$folder/x.h5" "$folder/rank-1/packed.h5"
apart 'its data set differs from that of rank 0' "${from_file[@]}"
size=$(stat -c %s "$folder/rank-1/png/00005.png")
printf '\377' | dd of="$folder/rank-1/png/00005.png" bs=1 seek="$((size - 30))" conv=notrunc status=none
apart 'png/00005.png: cannot be read as an image: ' "${from_folder[@]}"
rm "$folder/rank-1/png/00005.png"
apart 'its data set differs from that of rank 0' "${from_folder[@]}"

# While it trains: a file disappears.
cp "$folder/rank-0/png/00005.png" "$folder/rank-1/png"
timeout --kill-after=10 600 "$mpirun" 2 "$folder/apart.sh" "$program" train "${tiny[@]}" "${long[@]}" \
  "${from_folder[@]}" --set training.checkpoint_every=2 --output "$folder/apart" >"$log" 2>&1 </dev/null &
job=$!
until [[ -e $folder/apart/checkpoints/step-00000002.h5 ]] || ! kill -0 "$job" 2>/dev/null; do sleep 0.1; done
rm "$folder/rank-1/png/00007.png"
status=0
wait "$job" || status=$?
check "a file that disappears ends the job, with status $status" test "$status" = 2
check "... and is named" grep -qE 'ddpm-mpi: rank 1: png/00007.png: .*No such file' "$log"

finish
