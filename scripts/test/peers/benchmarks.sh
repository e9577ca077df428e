# The other side of the benchmarks, for a moment: that it runs, and that the figures come out.

run 0 '^\| 2 \| [0-9.]+ \|' "$python" scripts/measure/inception.py --python "$python" --threads 2 --rounds 1 --steps 1 --batch 2
peer=("$python" scripts/measure/pytorch-benchmark.py train --preset fashion-mnist --batch 2 --steps 1 --warm-up 1)
run 0 '"ranks": 2, .*"images_per_second_median": [0-9]' "${peer[@]}" --ranks 2
run 0 '"bf16": true, .*"images_per_second_median": [0-9]' "${peer[@]}" --threads 2 --channels-last --bf16

# Two points of training, measured on both sides.
run 0 '^\| 2 \| 2 \| [0-9.]+ \| [0-9.]+ \| [0-9.]+ \|$' env OUTPUT="$folder/averages" PRESET=quickstart STEPS="1 2" RAMPUPS=0.05 \
  IMAGES=16 SAMPLING_STEPS=2 REFERENCE_IMAGES=64 PYTHON="$python" scripts/measure/averages.sh
check "... PyTorch's too" test "$(grep -c '^| [12] | [12] |' "$log")" = 4

# Quality after two moments of training, by processes that share a batch; then nothing is left to do.
quality=(env OUTPUT="$folder/quality" SETTINGS="model.channels=16 training.batch=8" SEEDS=1 COUNT=16 SAMPLING_STEPS=2
  REFERENCE_IMAGES=64 PEER_LAYOUTS=2x1 PYTHON="$python" scripts/measure/quality.sh 0.01 0.02)
run 0 '^\| 0.02 \| [0-9]+ \| [0-9.]+ \| [0-9]+ \| [0-9.]+ \|$' "${quality[@]}"
check "... with a plot" grep -q '>PyTorch</text>' "$folder/quality/quality.svg"
cp "$log" "$folder/first-report"
run 0 "^- PyTorch's mean after 0.02 minutes, " "${quality[@]}"
check "... and the same figures again" test "$(grep '^|' "$log")" = "$(grep '^|' "$folder/first-report")"
run 2 'has figures with COUNT=16, not 17; choose another OUTPUT' "${quality[@]/COUNT=16/COUNT=17}"
run 2 'must be above 0, and each more than the one before' scripts/measure/quality.sh 2 1
run 2 'SEEDS=1 1 must be different whole numbers' env SEEDS="1 1" scripts/measure/quality.sh
run 2 'data.name is shapes, but here it must be fashion-mnist' env OUTPUT="$folder/others" \
  SETTINGS=data.name=shapes scripts/measure/quality.sh
