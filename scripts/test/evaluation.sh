#!/usr/bin/env bash
# Measuring images, as the program does it: the same figures on any number of ranks, features of the user's own,
# measuring in training, and what is refused. (What the figures are worth is for scripts/test/peers.sh.)
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/shared/cases.sh
python=$(scripts/shared/find-python.sh h5py)

tiny=(--set data.name=fashion-mnist --set training.batch=8 --set training.micro_batch=2 --set training.steps=6
  --set training.checkpoint_every=3 --set training.keep_checkpoints=1 --set training.log_every=2
  --set training.sample_every=100 --set sampling.count=2 --set sampling.steps=2 --set model.channels=16
  --set 'model.multipliers=[1, 1]' --set 'model.attention_resolutions=[]')

echo "--- measuring a checkpoint"
run 0 'Done: 6 steps' "$mpirun" 2 "$program" train "${tiny[@]}" --output "$folder/run"
evaluate=(evaluate --checkpoint "$folder/run" --count 40 --reference-count 60 --steps 2)
for ranks in 1 2 3; do
  DDPM_REFERENCE_CACHE=none run 0 '^\{.*"fid":' "$mpirun" "$ranks" "$program" "${evaluate[@]}" --json
  cp "$log" "$folder/on-$ranks.json"
  check "... one line" test "$(wc -l <"$log")" = 1
done
check "the same on 2 ranks" cmp "$folder/on-1.json" "$folder/on-2.json"
check "... and on 3" cmp "$folder/on-1.json" "$folder/on-3.json"
check "with all that it depends on" python3 - "$folder/on-1.json" "$folder/run" <<'PYTHON'
import json, math, sys
result = json.load(open(sys.argv[1]))
expected = {"count": 40, "reference": "fashion-mnist", "reference_split": "training", "reference_count": 60,
            "features": "fashion-mnist-classifier", "sampler": "ddpm", "steps": 2, "evaluations": 2, "seed": 0,
            "weights": "ema", "step": 6, "checkpoint": sys.argv[2] + "/checkpoints/step-00000006.h5"}
wrong = {key: result.get(key) for key, value in expected.items() if result.get(key) != value}
assert not wrong, wrong
assert len(result["feature_hash"]) == 8, result
for name in ["fid", "inception_score", "inception_score_deviation", "kid", "kid_deviation", "precision", "recall"]:
    assert math.isfinite(result[name]), (name, result[name])
assert result["fid"] > 1 and 1 <= result["inception_score"] <= 10, result
PYTHON
run 0 '^FID\[fashion-mnist-classifier\] ' "$program" "${evaluate[@]}" --measures fid
check "... marked as not comparable" grep -q 'Not comparable with published figures: fewer than 10,000 images' "$log"
check "... and nothing that was not asked for" sh -c "! grep -q IS '$log'"
run 2 'Inception.s weights do not come with this program; download pt_inception-2015-12-05-6726825d.pth' \
  env HOME="$folder" "$program" "${evaluate[@]}" --features inception
run 2 'there are no features mine' "$program" "${evaluate[@]}" --features mine
run 2 'reference-count is 60001, but the training images of fashion-mnist are 60000' \
  "$program" "${evaluate[@]}" --reference-count 60001
run 0 'Done: 6 steps' "$program" train --preset shapes "${tiny[@]}" --set data.name=shapes --output "$folder/shapes"
run 2 'fashion-mnist-classifier knows images of shape \[32, 32, 1\], and these are \[32, 32, 3\]' \
  "$program" evaluate --checkpoint "$folder/shapes" --count 20 --steps 2

run 2 '[-]-count is 9, but is needs at least 10 images; draw more, or leave it out of --measures' \
  "$program" evaluate --checkpoint "$folder/run" --count 9
check "... before it draws" sh -c "! grep -q 'step ' '$log'"
run 2 '[-]-count is 3, but pr needs at least 4 images' \
  "$program" evaluate --checkpoint "$folder/run" --count 3 --measures fid,pr
run 2 'pr needs at least 4 images to compare with, and there are 3' \
  "$program" evaluate --checkpoint "$folder/run" --count 40 --reference-count 3
run 0 '"inception_score"' "$program" "${evaluate[@]}" --measures is --json

echo "--- what is kept of the reference"
kept=("${evaluate[@]}" --reference-cache "$folder/kept")
run 0 'The statistics of the reference, 60 training images of fashion-mnist, are kept as .*/kept/.*-60.npz' \
  "$mpirun" 2 "$program" "${kept[@]}"
check "... two files" test "$(find "$folder/kept" -type f | wc -l)" = 2
for ranks in 1 3; do
  run 0 'The reference, 60 training images of fashion-mnist, was looked at before: its statistics are from .*/kept' \
    "$mpirun" "$ranks" "$program" "${kept[@]}"
  run 0 '"fid"' "$mpirun" "$ranks" "$program" "${kept[@]}" --json
  check "... the same figures on $ranks" cmp "$folder/on-1.json" "$log"
done
run 0 'are kept as .*-50.npz' "$program" "${kept[@]}" --reference-count 50
run 0 'are kept as .*-test-60.npz' "$program" "${kept[@]}" --split test
for file in "$folder"/kept/*-training-60.*; do
  for damage in flipped short empty; do
    cp "$file" "$folder/whole"
    case $damage in
      flipped) printf '\x55\x55' | dd of="$file" bs=1 seek=5000 conv=notrunc status=none ;;
      short) truncate -s 5000 "$file" ;;
      empty) : >"$file" ;;
    esac
    run 0 "warning: .*$(basename "$file"): .*; the reference is looked at again" "$program" "${kept[@]}"
    check "... and written as it was ($damage)" cmp "$file" "$folder/whole"
  done
done
run 0 '"fid"' "$program" "${kept[@]}" --json
check "... with the same figures" cmp "$folder/on-1.json" "$log"
run 0 '^FID' env DDPM_REFERENCE_CACHE=none "$program" "${evaluate[@]}"
check "without a cache nothing is said" sh -c "! grep -qE 'reference, 60' '$log'"
echo >"$folder/file"
run 0 'warning: the statistics of the reference are not kept: ' \
  "$program" "${evaluate[@]}" --reference-cache "$folder/file/in"
run 0 "\"count_b\":60" "$program" fid --json "$folder"/kept/*-training-60.npz "$folder"/kept/*-training-60.npz

echo "--- two sets of images"
for seed in 1 2; do
  run 0 'Wrote' "$program" sample --checkpoint "$folder/run" --count 90 --steps 2 --seed "$seed" \
    --output "$folder/images-$seed.h5"
done
run 0 '^\{"count_a":90,"count_b":90,"feature_hash":"[0-9a-f]{8}","features":"fashion-mnist-classifier","fid":' \
  "$mpirun" 2 "$program" fid "$folder/images-1.h5" "$folder/images-2.h5" --json --save-statistics "$folder/a.npz"
cp "$log" "$folder/fid.json"
run 0 '^\{' "$program" fid "$folder/a.npz" "$folder/images-2.h5" --json
check "statistics of one side make the same distance" cmp "$folder/fid.json" "$log"
run 0 '^FID\[fashion-mnist-classifier\] 0\.0000 ' "$program" fid "$folder/a.npz" "$folder/a.npz"
run 0 '^FID\[fashion-mnist-classifier\] 0\.0000 ' "$program" fid "$folder/images-1.h5" "$folder/images-1.h5"
run 2 'none: there is no such file or folder; name a folder of PNG or JPEG images' \
  "$program" fid "$folder/none" "$folder/images-1.h5"
echo damaged >"$folder/damaged.npz"
run 2 'damaged.npz' "$program" fid "$folder/damaged.npz" "$folder/images-1.h5"

# Statistics are all that is compared with.
for option in "--split test" "--data-path x" "--background white" "--reference-count 20" "--reference-cache x"; do
  # shellcheck disable=SC2086
  run 2 "reference and ${option%% *} exclude each other" "$program" evaluate --checkpoint "$folder/run" --count 20 \
    --reference "$folder/a.npz" $option
done
run 2 'inception-weights is for --features inception, and --features is fashion-mnist-classifier' "$program" fid \
  "$folder/images-1.h5" "$folder/images-2.h5" --inception-weights "$folder/a.npz"

echo "--- features of one's own"
run 0 'Done: 6 steps' "$program" train-classifier "${tiny[@]}" --output "$folder/classifier"
run 0 'features mine, 16 numbers of each image, checksum' "$program" export --format features --name mine \
  --checkpoint "$folder/classifier" "$folder/mine.safetensors"
run 2 'mine.safetensors exists; give --force to replace it' "$program" export --format features --name mine \
  --checkpoint "$folder/classifier" "$folder/mine.safetensors"
run 2 'a.npz: its statistics are of the features fashion-mnist-classifier, checksum .* and are compared with the features mine' \
  "$program" fid "$folder/images-1.h5" "$folder/a.npz" --features "$folder/mine.safetensors"
run 2 'a.npz: its statistics are of the features' "$program" evaluate --checkpoint "$folder/run" --count 20 --steps 2 \
  --measures fid --reference "$folder/a.npz" --features "$folder/mine.safetensors"
run 0 '^FID\[mine\] ' "$program" fid "$folder/images-1.h5" "$folder/images-2.h5" --features "$folder/mine.safetensors"
head -c 5000 "$folder/mine.safetensors" >"$folder/cut.safetensors"
run 2 'cut.safetensors' "$program" fid "$folder/images-1.h5" "$folder/images-2.h5" --features "$folder/cut.safetensors"

echo "--- images that are all alike"
"$python" - "$folder" <<'PYTHON'
import sys
import h5py, numpy
image = numpy.random.default_rng(1).integers(0, 256, (1, 32, 32, 1), dtype=numpy.uint8)
for name, count in [("alike", 700), ("one", 1)]:
    with h5py.File(f"{sys.argv[1]}/{name}.h5", "w") as file:
        file["images"] = numpy.repeat(image, count, axis=0)
PYTHON
run 0 '^FID\[fashion-mnist-classifier\] [1-9]' "$program" fid "$folder/alike.h5" "$folder/images-1.h5"
run 0 '^FID\[fashion-mnist-classifier\] -?0\.0000 ' "$program" fid "$folder/alike.h5" "$folder/alike.h5"
run 2 'one.h5: a distance needs at least 2 images, and there is 1' "$program" fid "$folder/one.h5" "$folder/images-1.h5"

echo "--- in training"
measured=("${tiny[@]}" --set evaluation.every=2 --set evaluation.count=20 --set evaluation.reference_count=40)
run 0 'The best so far: kept as .*/checkpoints/best.h5' "$mpirun" 2 "$program" train "${measured[@]}" \
  --output "$folder/measured"
check "... three times" test "$(wc -l <"$folder/measured/evaluations.jsonl")" = 3
check "... in the log" test "$(grep -c '"fid"' "$folder/measured/metrics.jsonl")" = 3
check "the best checkpoint is that of the least distance" python3 - "$folder/measured" <<'PYTHON'
import json, pathlib, subprocess, sys
folder = pathlib.Path(sys.argv[1])
results = [json.loads(line) for line in (folder / "evaluations.jsonl").read_text().splitlines()]
best = min(results, key=lambda result: result["fid"])["step"]
dump = subprocess.run(["h5dump", "-a", "/step", folder / "checkpoints/best.h5"], capture_output=True, text=True)
assert f"(0): {best}" in dump.stdout, (best, dump.stdout)
PYTHON
check "... though only the newest others are kept" test ! -e "$folder/measured/checkpoints/step-00000002.h5"
run 0 'Done: 4 steps' "$program" train "${measured[@]}" --set training.steps=4 --output "$folder/resumed"
DDPM_REFERENCE_CACHE=none run 0 'Done: 6 steps' "$mpirun" 3 "$program" train "${measured[@]}" --resume --output "$folder/resumed"
check "a resumed run measures the same" cmp <(sed 's/resumed/measured/' "$folder/resumed/evaluations.jsonl") \
  "$folder/measured/evaluations.jsonl"
check "... and has trained the same" h5diff "$folder/measured/checkpoints/step-00000006.h5" \
  "$folder/resumed/checkpoints/step-00000006.h5" /model
run 0 'FID' "$program" evaluate --checkpoint "$folder/measured/checkpoints/best.h5" --count 20 --reference-count 40 --steps 2
DDPM_MPI_FAULT=evaluate:1:error:2 run 0 'warning: the images are not measured after step 4: rank 1: .*; training goes on' \
  "$mpirun" 2 "$program" train "${measured[@]}" --output "$folder/once"
check "... the others are" test "$(wc -l <"$folder/once/evaluations.jsonl")" = 2
check "... the journal has it" grep -q '"event":"warning","reason":"the images are not measured: rank 1: .*"step":4' \
  "$folder/once/journal.jsonl"
check "... and training is what it would have been" h5diff "$folder/measured/checkpoints/step-00000006.h5" \
  "$folder/once/checkpoints/step-00000006.h5" /model
check "... and so is the best" grep -q . "$folder/once/checkpoints/best.h5"
run 2 'there are no features mine' "$program" train "${measured[@]}" --set evaluation.features=mine \
  --output "$folder/refused"
check "... before anything is written" test ! -e "$folder/refused/checkpoints/step-00000002.h5"
finish
