#!/usr/bin/env bash
# The program as its user meets it: what it writes, what it says when something is wrong, and with which status it
# ends. Each case prints one line.
set -euo pipefail
cd "$(dirname "$0")/.."

program=$PWD/.build/release/ddpm-mpi
mpirun=$PWD/scripts/mpirun.sh
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
log=$folder/log
passed=0
failed=0

# run STATUS TEXT COMMAND...: the command must end with the status and say the text (an extended regular expression).
run() {
  local status=$1 text=$2 actual=0
  shift 2
  timeout --kill-after=10 120 "$@" >"$log" 2>&1 </dev/null || actual=$?
  if ((actual != status)); then
    report "$text" "ended with $actual instead of $status: $*"
  elif ! grep -qE -- "$text" "$log"; then
    report "$text" "did not say so: $*"
  else
    passed=$((passed + 1))
    echo "ok: $text"
  fi
}

report() {
  failed=$((failed + 1))
  echo "FAILED: $1"
  echo "  $2"
  sed 's/^/  | /' "$log"
}

# check TEXT COMMAND...: the command must succeed.
check() {
  local text=$1
  shift
  if "$@" >"$log" 2>&1; then
    passed=$((passed + 1))
    echo "ok: $text"
  else
    report "$text" "failed: $*"
  fi
}

# refuse TEXT ARGUMENT...: refused with status 2 and exactly one message, alone and on two ranks.
refuse() {
  local text=$1
  shift
  run 2 "$text" "$program" "$@"
  run 2 "$text" "$mpirun" 2 "$program" "$@"
  check "... once" test "$(grep -cE '^(ddpm-mpi|Error):' "$log")" = 1
}

tiny=(--preset shapes --set training.batch=4 --set training.micro_batch=1 --set training.steps=4
  --set training.checkpoint_every=1 --set training.keep_checkpoints=3 --set training.sample_every=4
  --set training.log_every=2 --set sampling.count=3 --set sampling.steps=2)

echo "--- help"
run 0 'SUBCOMMANDS' "$program" --help
run 0 '^[0-9]+\.[0-9]+\.[0-9]+$' "$program" --version
for command in train sample benchmark inspect doctor; do run 0 "USAGE: ddpm-mpi $command" "$program" "$command" --help; done
run 0 'kernels for' "$program" doctor

echo "--- arguments and configuration"
refuse "Unknown option '--nonsense'" train --nonsense
refuse 'there is no command nonsense' nonsense
refuse 'did you mean training.learning_rate' train --set training.learning_rat=1
refuse 'training.batch is abc; expected a whole number' train --set training.batch=abc
refuse 'training.batch is 30, which training.micro_batch 4 does not divide' train --set training.batch=30
refuse 'there is no preset fashion-mnits; did you mean fashion-mnist' train --preset fashion-mnits
refuse 'cannot open .*/none.yaml' train --config "$folder/none.yaml"
printf 'training:\n  steps: [1\n' >"$folder/bad.yaml"
refuse 'bad.yaml:3: this is not YAML' train --config "$folder/bad.yaml"
refuse 'there is no data set "imagenet"' train --set data.name=imagenet --output "$folder/x"
refuse 'neither it nor its .gz is there' train --set data.path="$folder/none" --output "$folder/x"
refuse 'attention_resolutions has 7' train "${tiny[@]}" --set 'model.attention_resolutions=[7]' --output "$folder/x"
mkdir "$folder/cut"
head -c 1000 </dev/zero >"$folder/cut/train-images-idx3-ubyte"
head -c 1000 </dev/zero >"$folder/cut/train-labels-idx1-ubyte"
refuse 'cut/train-(images|labels)-idx' train --set data.path="$folder/cut" --output "$folder/x"
refuse 'cannot create the folder /proc/nowhere' train "${tiny[@]}" --output /proc/nowhere
run 2 'training.batch 4 in pieces of training.micro_batch 2 makes 2 micro-batches, fewer than the 3 ranks' \
  "$mpirun" 3 "$program" train "${tiny[@]}" --set training.micro_batch=2 --output "$folder/x"
check "nothing was left behind" test ! -e "$folder/x"

echo "--- a run"
run 0 'step 4/4' "$mpirun" 2 "$program" train "${tiny[@]}" --output "$folder/run"
check "plain lines at log intervals only" test "$(grep -c '^step ' "$log")" = 2
check "no control characters in a log" sh -c "! grep -q \$'\\r' '$log'"
check "the newest 3 checkpoints are kept" test "$(cd "$folder/run/checkpoints" && echo *)" = \
  "step-00000002.h5 step-00000003.h5 step-00000004.h5"
check "a sample grid" sh -c "head -c 8 '$folder/run/samples/step-00000004.png' | grep -q PNG"
check "metrics have their keys" python3 - "$folder/run/metrics.jsonl" <<'PYTHON'
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
keys = {"step", "images", "loss", "gradient_norm", "learning_rate", "images_per_second", "seconds"}
assert [line["step"] for line in lines] == [2, 4] and all(set(line) == keys for line in lines), lines
assert lines[1]["images"] == 16
PYTHON
refuse 'already holds a run; continue it with --resume, or choose another folder with --output' \
  train "${tiny[@]}" --output "$folder/run"
refuse 'model.dropout is 0.5, but the run to resume was started with 0.0' \
  train --resume --set model.dropout=0.5 --output "$folder/run"
run 0 'all 4 steps are done' "$program" train --resume --output "$folder/run"
run 0 'starting at step 0' "$program" train "${tiny[@]}" --resume --output "$folder/empty"
run 0 'step 4/4' "$program" train --config "$folder/run/config.yaml" --output "$folder/again"
check "its config.yaml makes the same run" h5diff "$folder/run/checkpoints/step-00000004.h5" \
  "$folder/again/checkpoints/step-00000004.h5"

echo "--- one rank alone"
cat >"$folder/differently.sh" <<'SH'
#!/bin/sh
# Rank 1 gets an argument of its own.
[ "$OMPI_COMM_WORLD_RANK" = 1 ] && exec "$PROGRAM" "$@" --set "$RANK_1"
exec "$PROGRAM" "$@"
SH
chmod +x "$folder/differently.sh"
export PROGRAM=$program
export RANK_1=data.path=$folder/none
run 2 'rank 1: .*neither it nor its .gz is there' "$mpirun" 3 "$folder/differently.sh" train --output "$folder/x"
export RANK_1=training.learning_rate=0.5
run 2 "rank 1: its configuration is not that of rank 0" \
  "$mpirun" 3 "$folder/differently.sh" train "${tiny[@]}" --output "$folder/x"
check "nothing was left behind" test ! -e "$folder/x"

echo "--- numbers that are not finite"
run 3 'stopped at step [0-9]+: loss .*; the last good checkpoint is .*/diverged/checkpoints/step-0000000' \
  "$mpirun" 2 "$program" train "${tiny[@]}" --set training.steps=50 --set training.learning_rate=1e30 \
  --set training.max_gradient_norm=none --set training.warmup_steps=0 --set training.sample_every=50 \
  --output "$folder/diverged"
check "checkpoints remain" sh -c "ls '$folder'/diverged/checkpoints/step-*.h5"

echo "--- sampling"
sample=("$program" sample --checkpoint "$folder/run" --steps 3)
run 0 'Wrote' "$mpirun" 2 "${sample[@]}" --count 3 --output "$folder/a.h5" --grid "$folder/a.png"
check "images are bytes [N, H, W, C]" sh -c "h5dump -H '$folder/a.h5' | tr -d '\n' | \
  grep -qE 'DATASET \"images\" \{ +DATATYPE +H5T_STD_U8LE +DATASPACE +SIMPLE \{ \( 3, 32, 32, 3 \)'"
check "a grid of them" sh -c "head -c 8 '$folder/a.png' | grep -q PNG"
run 0 'Wrote' "${sample[@]}" --weights model --count 2 --output "$folder/model.h5"
# The noise of the sampler's steps is the seed's, so the seed's own latents from a file draw the seed's images.
run 0 'Wrote' "${sample[@]}" --count 2 --seed 5 --output "$folder/b.h5"
run 2 'there is no such file' "${sample[@]}" --count 2 --latents "$folder/none.h5" --output "$folder/c.h5"
run 2 'it has no dataset `latents`' "${sample[@]}" --count 2 --latents "$folder/a.h5" --output "$folder/c.h5"
refuse 'there is no such file or folder' sample --checkpoint "$folder/none" --count 1 --output "$folder/c.h5"
refuse 'this model has 1 to 1000' sample --checkpoint "$folder/run" --steps 1001 --count 1 --output "$folder/c.h5"
refuse 'cannot write .*/none/c.h5' sample --checkpoint "$folder/run" --count 1 --output "$folder/none/c.h5"

echo "--- checkpoints"
newest=$folder/run/checkpoints/step-00000004.h5
run 0 '/optimizer/second_moment: .* whole' "$program" inspect "$newest"
python3 - "$newest" <<'PYTHON'
import pathlib, sys
path = pathlib.Path(sys.argv[1])
data = bytearray(path.read_bytes())
data[len(data) // 2] ^= 1  # tensors fill nearly all of the file
path.write_bytes(data)
PYTHON
run 4 'DAMAGED: [a-z]' "$program" inspect "$newest"
head -c 200000 "$newest" >"$folder/cut.h5"
run 4 'cut.h5: ' "$program" inspect "$folder/cut.h5"
run 4 'cut.h5: ' "$program" sample --checkpoint "$folder/cut.h5" --count 1 --output "$folder/c.h5"
run 4 'this is not an HDF5 file' "$program" inspect "$folder/bad.yaml"
run 4 'there is no such file' "$program" inspect "$folder/none.h5"
head -c 200000 "$newest" >"$newest.cut" && mv "$newest.cut" "$newest"
run 0 'Drawing 1 image from .*step-00000003.h5' "${sample[@]}" --count 1 --output "$folder/d.h5"
run 0 'step-00000003.h5, step 3' "$mpirun" 2 "$program" train --resume --output "$folder/run"
for file in "$folder"/run/checkpoints/*.h5; do echo "no checkpoint" >"$file"; done
run 4 'none of the 3 checkpoints in .* is whole' "$mpirun" 2 "$program" train --resume --output "$folder/run"

echo "--- benchmark and trace"
run 0 '"images_per_second_median":' "$mpirun" 2 "$program" benchmark --preset shapes --batch 4 --steps 2 --json
cp "$log" "$folder/benchmark.json"
check "one line with all keys" python3 - "$folder/benchmark.json" <<'PYTHON'
import json, sys
lines = open(sys.argv[1]).read().splitlines()
keys = ["images_per_second_best", "seconds_per_step", "peak_resident_gb", "ranks", "threads", "parameters"]
assert len(lines) == 1 and all(key in json.loads(lines[0]) for key in keys) and json.loads(lines[0])["ranks"] == 2
PYTHON
run 0 'images/s' "$program" benchmark --preset shapes --job sample --batch 4 --steps 2
for ranks in 1 3; do
  run 0 'Done' "$mpirun" "$ranks" "$program" train "${tiny[@]}" --set training.steps=2 --trace "$folder/trace-$ranks.h5" \
    --trace-steps 2 --output "$folder/traced-$ranks"
done
check "a trace does not depend on the ranks" h5diff "$folder/trace-1.h5" "$folder/trace-3.h5"
for name in initial/conv_in.weight step-00000001/x0 step-00000001/t step-00000001/noise step-00000002/loss \
  step-00000002/gradients/conv_in.weight step-00000002/parameters/conv_in.weight; do
  check "a trace holds $name" h5dump -H -d "/$name" "$folder/trace-3.h5"
done
refuse 'cannot write .*/none/t.h5' train "${tiny[@]}" --trace "$folder/none/t.h5" --output "$folder/untraced"

echo
echo "$passed passed, $failed failed"
((failed == 0))
