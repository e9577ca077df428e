# The other side of the benchmarks, for a moment: that it runs, and that the figures come out.

run 0 '^\| 2 \| [0-9.]+ \|' "$python" scripts/measure/inception.py --python "$python" --threads 2 --rounds 1 --steps 1 --batch 2
peer=("$python" scripts/measure/pytorch-benchmark.py train --preset fashion-mnist --batch 2 --steps 1 --warm-up 1)
run 0 '"ranks": 2, .*"images_per_second_median": [0-9]' "${peer[@]}" --ranks 2
run 0 '"bf16": true, .*"images_per_second_median": [0-9]' "${peer[@]}" --threads 2 --channels-last --bf16

# Two points of training, measured on both sides.
run 0 '^\| 2 \| 2 \| [0-9.]+ \| [0-9.]+ \| [0-9.]+ \|$' env OUTPUT="$folder/averages" PRESET=quickstart STEPS="1 2" RAMPUPS=0.05 \
  IMAGES=16 SAMPLING_STEPS=2 REFERENCE_IMAGES=64 PYTHON="$python" scripts/measure/averages.sh
check "... PyTorch's too" test "$(grep -c '^| [12] | [12] |' "$log")" = 4
