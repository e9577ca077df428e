#!/usr/bin/env bash
# The program as its user meets it: what it writes, what it says when something is wrong, and with which status it
# ends. Each case prints one line.
set -euo pipefail
cd "$(dirname "$0")/.."

source scripts/cases.sh

tiny=(--preset shapes --set training.batch=4 --set training.micro_batch=1 --set training.steps=4
  --set training.checkpoint_every=1 --set training.keep_checkpoints=3 --set training.sample_every=4
  --set training.log_every=2 --set sampling.count=3 --set sampling.steps=2 --set 'model.multipliers=[1, 1]')

echo "--- help"
run 0 'SUBCOMMANDS' "$program" --help
run 0 '^[0-9]+\.[0-9]+\.[0-9]+$' "$program" --version
for command in train train-classifier sample likelihood encode decode interpolate pack presets benchmark inspect doctor; do
  run 0 "USAGE: ddpm-mpi $command" "$program" "$command" --help
  check "... within 80 columns" awk 'length > 80 { exit 1 }' "$log"
done
run 0 '^[0-9]+\.[0-9]+\.[0-9]+$' "$mpirun" 2 "$program" --version
check "... once" test "$(wc -l <"$log")" = 1
run 0 'built for' "$program" doctor
run 0 'rank 0 +[0-9]+ processors?, ' "$program" doctor
run 0 'fewer than its 999 threads; mpirun --map-by slot:PE=999' "$program" doctor --threads 999

echo "--- arguments and configuration"
check "every number may be negative on the command line" python3 - "$program" <<'PYTHON'
import json, subprocess, sys
program = sys.argv[1]
def say(*arguments):
    return subprocess.run([program, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout
numbers = 0
for command in json.loads(say("--experimental-dump-help"))["command"]["subcommands"]:
    for argument in command.get("arguments", []):
        if argument["kind"] != "option" or argument.get("valueName") not in ("n", "x", "k", "g", "k,k,..."):
            continue
        option = "--" + argument["preferredName"]["name"]
        # Refused it may be, but not as another option.
        run = subprocess.run([program, command["commandName"], option, "-1"], capture_output=True, text=True)
        assert run.returncode == 2 and "Missing value" not in run.stderr, (command["commandName"], option, run.stderr)
        numbers += 1
assert numbers > 60, numbers
PYTHON
refuse "Unknown option '--nonsense'" train --nonsense
refuse 'there is no command nonsense; the commands are train, train-classifier, sample' nonsense
refuse 'Missing expected argument .*--count' sample --checkpoint "$folder/x" --output "$folder/x.h5"
refuse 'did you mean training.learning_rate' train --set training.learning_rat=1
refuse 'training.batch is abc; expected a whole number' train --set training.batch=abc
refuse 'training.batch is 30, which training.micro_batch 4 does not divide' train --set training.batch=30
refuse 'there is no preset fashion-mnits; did you mean fashion-mnist' train --preset fashion-mnits
refuse 'cannot open .*/none.yaml' train --config "$folder/none.yaml"
printf 'training:\n  steps: [1\n' >"$folder/bad.yaml"
refuse 'bad.yaml:3: this is not YAML' train --config "$folder/bad.yaml"
refuse '[-]-preset and --config exclude each other' train --config "$folder/bad.yaml" --preset shapes
refuse 'there is no data set "imagenet"' train --set data.name=imagenet --output "$folder/x"
refuse 'neither it nor its .gz is there' train --set data.path="$folder/none" --output "$folder/x"
refuse "'quick' is invalid for '--convolution" train "${tiny[@]}" --convolution quick --output "$folder/x"
refuse 'attention_resolutions has 7' train "${tiny[@]}" --set 'model.attention_resolutions=[7]' --output "$folder/x"
refuse 'training.ema_decays is \[0.9, 0.9\], which has a value twice' \
  train "${tiny[@]}" --set 'training.ema_decays=[0.9, 0.9]' --output "$folder/x"
refuse_in_turn 'none.safetensors' train "${tiny[@]}" \
  --set evaluation.every=2 --set evaluation.features="$folder/none.safetensors" --output "$folder/x"
long=$folder/x/$(printf '%0200d' 0)
refuse_in_turn 'checkpoints could not be saved: .* bytes, but MPI libraries hold 244; take a shorter path' \
  train "${tiny[@]}" --output "$long"
refuse 'trace: its absolute path has [0-9]+ bytes, but MPI libraries hold 244' train "${tiny[@]}" --trace "$folder/$(printf '%0240d' 0)" --output "$folder/x"
run 2 'checkpoints could not be saved: .* take a path without one' env OMPI_MCA_io=romio321 "$program" train "${tiny[@]}" \
  --output "$folder/x:y"
check "nothing was left of it" test ! -e "$folder/x:y"
mkdir "$folder/cut"
head -c 1000 </dev/zero >"$folder/cut/train-images-idx3-ubyte"
head -c 1000 </dev/zero >"$folder/cut/train-labels-idx1-ubyte"
refuse 'cut/train-(images|labels)-idx' train --set data.path="$folder/cut" --output "$folder/x"
refuse 'cannot create the folder /proc/nowhere' train "${tiny[@]}" --output /proc/nowhere
run 2 'training.batch 4 in pieces of training.micro_batch 2 makes 2 micro-batches, fewer than the 3 ranks' \
  "$mpirun" 3 "$program" train "${tiny[@]}" --set training.micro_batch=2 --output "$folder/x"
refuse '[-]-threads is 4611686018427387904; it must be at most 4096' train --threads 4611686018427387904
refuse "invalid for '--steps <n>': it must be from 1 to 1000000" sample --checkpoint "$folder/x" --count 1 \
  --steps 9223372036854775807 --output "$folder/x.h5"
refuse 'training.steps is 9223372036854775807; it must be from 1 to 4294967295' train "${tiny[@]}" \
  --set training.steps=9223372036854775807 --output "$folder/x"
refuse 'takes at least [0-9.]+ TiB of memory.*parameters, their gradients, moments and averages .model.channels' \
  train "${tiny[@]}" --set model.channels=65536 --output "$folder/x"
refuse 'takes at least [0-9.]+ [GT]iB of memory.*activations of training.micro_batch 524288 images' \
  train "${tiny[@]}" --set training.batch=1048576 --set training.micro_batch=524288 --output "$folder/x"
refuse 'diffusion.steps 40000, diffusion.schedule linear, .*the image is lost in the noise' train "${tiny[@]}" \
  --set diffusion.steps=40000 --output "$folder/x"
{ echo 'a0: &a0 [1, 1]'; for n in {1..30}; do echo "a$n: &a$n [*a$((n - 1)), *a$((n - 1))]"; done; } >"$folder/bomb.yaml"
refuse 'bomb.yaml: this is no configuration: it has the alias [*]a' train --config "$folder/bomb.yaml"
check "nothing was left behind" test ! -e "$folder/x"

echo "--- presets"
run 0 'table 3: FID 2.38' "$program" presets
run 0 '^  scale_by_sigma: true$' "$program" presets cifar10-ncsnpp-ve
"$program" presets shapes >"$folder/shapes.yaml"
run 0 'images_per_second_median' "$program" benchmark --preset cifar10-ncsnpp-ve --set model.channels=16 --set model.blocks=1 \
  --batch 2 --steps 1 --json
run 0 '"name":"cifar10-edm"' "$program" presets --json
check "each is listed once" python3 -c 'import json, sys
names = [entry["name"] for entry in json.load(open(sys.argv[1]))]
assert len(names) == len(set(names)) >= 12, names' "$log"
refuse 'there is no preset cifar10-edn; did you mean cifar10-edm' presets cifar10-edn

echo "--- networks of the continuous family"
continuous=(--set data.name=shapes --set model.channels=16 --set model.blocks=1 --set training.batch=4
  --set training.micro_batch=1 --set training.steps=3 --set training.checkpoint_every=3 --set training.sample_every=3
  --set sampling.count=2 --set sampling.steps=3)
for preset in ddpmpp-subvp ncsnpp-ve edm; do
  run 0 'step 3/3' "$program" train --preset "cifar10-$preset" "${continuous[@]}" --output "$folder/$preset-1"
  run 0 'step 3/3' "$mpirun" 3 "$program" train --preset "cifar10-$preset" "${continuous[@]}" --output "$folder/$preset-3"
  check "$preset: the same bits on 1 and 3 ranks" \
    h5diff "$folder/$preset-1/checkpoints/step-00000003.h5" "$folder/$preset-3/checkpoints/step-00000003.h5"
  run 0 'evaluations' "$program" sample --checkpoint "$folder/$preset-1" --count 2 --sampler ode-heun --steps 3 --output "$folder/s.h5"
  rm "$folder/s.h5"
done
run 0 'step 3/3' "$program" train --preset cifar10-ncsnpp-ve "${continuous[@]}" \
  --set training.recompute_activations=blocks --output "$folder/ncsnpp-ve-again"
check "blocks that are made again change no bit" h5diff "$folder/ncsnpp-ve-1/checkpoints/step-00000003.h5" \
  "$folder/ncsnpp-ve-again/checkpoints/step-00000003.h5" /model
# Their average starts as they do: it would differ if they had moved.
check "random frequencies stay" h5diff "$folder/ncsnpp-ve-1/checkpoints/step-00000003.h5" \
  "$folder/ncsnpp-ve-3/checkpoints/step-00000003.h5" /model/time_proj.weight /ema/0.999/time_proj.weight
check "... and other parameters do not" sh -c "! h5diff -q '$folder/ncsnpp-ve-1/checkpoints/step-00000003.h5' \
  '$folder/ncsnpp-ve-3/checkpoints/step-00000003.h5' /model/conv_in.weight /ema/0.999/conv_in.weight"

echo "--- a run"
run 0 'step 4/4' "$mpirun" 2 "$program" train "${tiny[@]}" --output "$folder/run"
check "plain lines at log intervals only" test "$(grep -c '^step ' "$log")" = 2
check "no control characters in a log" test "$(tr -dc '\r\033' <"$log" | wc -c)" = 0
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
refuse 'model.convolution is direct, but the run to resume was started with winograd' \
  train --resume --convolution direct --output "$folder/run"
refuse_in_turn 'training.steps is 3, but 4 steps are done in .*step-00000004.h5; give at least as many' \
  train --resume --set training.steps=3 --output "$folder/run"
run 0 'all 4 steps are done' "$program" train --resume --output "$folder/run"
run 0 'parameters, direct convolutions' "$mpirun" 2 "$program" train "${tiny[@]}" --convolution direct \
  --output "$folder/direct"
check "the method is kept" grep -q 'convolution: direct' "$folder/direct/config.yaml"
run 0 'parameters, direct convolutions' "$program" train --resume --output "$folder/direct"
check "its last bits are others" sh -c "! h5diff -q '$folder/run/checkpoints/step-00000004.h5' \
  '$folder/direct/checkpoints/step-00000004.h5' /model"
check "... and its losses nearly the same" python3 - "$folder/run/metrics.jsonl" "$folder/direct/metrics.jsonl" <<'PYTHON'
import json, sys
runs = [[json.loads(line)["loss"] for line in open(path)] for path in sys.argv[1:]]
assert runs[0] != runs[1] and all(abs(a - b) < 1e-4 * a for a, b in zip(*runs)), runs
PYTHON
run 0 'starting at step 0' "$program" train "${tiny[@]}" --resume --output "$folder/empty"
run 0 'step 4/4' "$program" train --config "$folder/run/config.yaml" --output "$folder/again"
check "its config.yaml makes the same run" h5diff "$folder/run/checkpoints/step-00000004.h5" \
  "$folder/again/checkpoints/step-00000004.h5"

echo "--- going on with something else"
run 0 'training.learning_rate was 0.001 and is 0.0005' "$mpirun" 2 "$program" train --resume \
  --set training.learning_rate=0.0005 --set training.steps=5 --set training.checkpoint_every=none --output "$folder/again"
check "the journal has it" grep -q '"changes":\[.*"training.learning_rate was 0.001 and is 0.0005"' \
  "$folder/again/journal.jsonl"
check "... and the step its rate" python3 - "$folder/again/metrics.jsonl" <<'PYTHON'
import json, sys
last = [json.loads(line) for line in open(sys.argv[1])][-1]
assert last["step"] == 5 and abs(last["learning_rate"] - 0.0005 * 5 / 20) < 1e-12, last
PYTHON
digits() { # FOLDER SHADE: 16 images of one shade, as MNIST has them
  mkdir "$1"
  python3 - "$1" "$2" <<'PYTHON'
import struct, sys
folder, shade = sys.argv[1], int(sys.argv[2])
open(f"{folder}/train-images-idx3-ubyte", "wb").write(struct.pack(">4i", 2051, 16, 28, 28) + bytes([shade]) * 16 * 784)
open(f"{folder}/train-labels-idx1-ubyte", "wb").write(struct.pack(">2i", 2049, 16) + bytes(range(10)) + bytes(6))
PYTHON
}
digits "$folder/dark" 9
digits "$folder/light" 200
run 0 'Done: 2 steps' "$program" train "${tiny[@]}" --set data.name=mnist --set data.path="$folder/dark" \
  --set training.steps=2 --output "$folder/digits"
other=(train --resume --set data.path="$folder/light" --set training.steps=3 --output "$folder/digits")
refuse_in_turn 'was trained on other images: the fingerprint of mnist was .* or give --allow-other-data' "${other[@]}"
check "a refused configuration is not stored" grep -q 'steps: 2' "$folder/digits/config.yaml"
run 0 'fingerprint was [0-9a-f]+ and is [0-9a-f]+' "$mpirun" 2 "$program" "${other[@]}" --allow-other-data
check "the journal has it" grep -q "the data set's fingerprint was" "$folder/digits/journal.jsonl"
run 0 'all 3 steps are done' "$program" train --resume --output "$folder/digits"
refuse 'data.name is shapes, but the run to resume was started with mnist' \
  train --resume --set data.name=shapes --output "$folder/digits"
refuse_in_turn 'is for images of 32x32x1, but those of shapes are 32x32x3' \
  train --resume --allow-other-data --set data.name=shapes --set data.path=default --output "$folder/digits"
refuse '[-]-allow-other-data is for --resume' train --allow-other-data --output "$folder/x"
falling=("${tiny[@]}" --set training.schedule=cosine --set training.warmup_steps=1 --output "$folder/falling")
run 0 'Done' "$program" train "${falling[@]}"
cp "$folder/falling/checkpoints/step-00000004.h5" "$folder/falling.h5"
rm "$folder"/falling/checkpoints/step-0000000[34].h5
run 0 'Resuming from .*step-00000002.h5' "$mpirun" 2 "$program" train --resume "${falling[@]}"
check "a falling learning rate goes on with the same bits" \
  h5diff "$folder/falling.h5" "$folder/falling/checkpoints/step-00000004.h5"

echo "--- beginning with other weights"
tune=(train --initial "$folder/run" --set training.steps=2 --set training.warmup_steps=0)
run 0 'Beginning with the weights /ema/0.99 of .*step-00000004.h5, step 4' "$program" "${tune[@]}" --output "$folder/tuned"
check "they are what it begins with" h5diff "$folder/run/checkpoints/step-00000004.h5" \
  "$folder/tuned/checkpoints/step-00000000.h5" /ema/0.99 /model
check "... in its average too" h5diff "$folder/tuned/checkpoints/step-00000000.h5" \
  "$folder/tuned/checkpoints/step-00000000.h5" /model /ema/0.99
check "the journal has it" grep -q '"initial":".*step-00000004.h5"' "$folder/tuned/journal.jsonl"
run 0 'Beginning with' "$mpirun" 2 "$program" "${tune[@]}" --output "$folder/tuned-2"
check "the same bits on 2 ranks" h5diff "$folder/tuned/checkpoints/step-00000002.h5" \
  "$folder/tuned-2/checkpoints/step-00000002.h5"
rm "$folder"/tuned-2/checkpoints/step-0000000[12].h5
run 0 'Resuming from .*step-00000000.h5' "$mpirun" 2 "$program" train --resume --output "$folder/tuned-2"
check "... and resumed before its first step" h5diff "$folder/tuned/checkpoints/step-00000002.h5" \
  "$folder/tuned-2/checkpoints/step-00000002.h5"
run 0 'Beginning with the weights /model ' "$program" "${tune[@]}" --initial-weights model \
  --set diffusion.prediction=velocity --output "$folder/turned"
check "another task is said" grep -q 'trained with diffusion.prediction=noise, and go on with velocity' "$log"
refuse 'its network is another: model.channels is 32 there and 64 here' \
  "${tune[@]}" --set model.channels=64 --output "$folder/x"
refuse 'its network is another: conv_in.weight is .* and it is for images of 32x32x3' \
  "${tune[@]}" --set data.name=mnist --set data.path="$folder/dark" --output "$folder/x"
refuse '[-]-initial-weights 0.5: .* has no average of this decay; it has 0.99' \
  "${tune[@]}" --initial-weights 0.5 --output "$folder/x"
refuse 'this is a denoiser, not a classifier' train-classifier --initial "$folder/run" --output "$folder/x"
refuse '[-]-initial begins a new run and --resume goes on with one' "${tune[@]}" --resume --output "$folder/run"
refuse '[-]-initial without --preset and --config needs an --output' "${tune[@]}"

echo "--- what can be turned off"
run 0 'Done' "$mpirun" 2 "$program" train "${tiny[@]}" --set training.sample_every=none --set training.checkpoint_every=none \
  --set training.keep_checkpoints=all --set training.log_every=none --set training.hang_timeout_seconds=none \
  --set training.save_timeout_seconds=none --output "$folder/quiet"
check "the last checkpoint stays" test "$(cd "$folder/quiet/checkpoints" && echo *)" = step-00000004.h5
check "... no samples" sh -c "! ls '$folder'/quiet/samples/*"
check "... and the last line" test "$(wc -l <"$folder/quiet/metrics.jsonl")" = 1
check "it is the same run" h5diff "$folder/run/checkpoints/step-00000004.h5" "$folder/quiet/checkpoints/step-00000004.h5" /model

echo "--- one rank alone"
cat >"$folder/differently.sh" <<'SH'
#!/bin/sh
# differently.sh FOLDER ARGUMENTS COMMAND...: rank 1 works in a folder and with arguments of its own.
folder=$1 arguments=$2
shift 2
[ "$OMPI_COMM_WORLD_RANK" = 1 ] || exec "$@"
cd "$folder" && exec "$@" $arguments
SH
chmod +x "$folder/differently.sh"
mkdir "$folder/elsewhere"

# differ TEXT FOLDER ARGUMENTS ARGUMENT...: refused with status 2 and exactly one message, which names rank 1.
differ() {
  local text=$1 place=$2 arguments=$3
  shift 3
  run 2 "rank 1: $text" "$mpirun" 2 "$folder/differently.sh" "$place" "$arguments" "$program" "$@"
  check "... once" test "$(grep -cE 'ddpm-mpi:|Error:' "$log")" = 1
}
differ '.*neither it nor its .gz is there' . "--set data.path=$folder/none" train --output "$folder/x"
differ 'its configuration is not that of rank 0: training.learning_rate is 0.5 there and 0.001 on rank 0' \
  . '--set training.learning_rate=0.5' train "${tiny[@]}" --output "$folder/x"
differ "Unknown option '--nonsense'" . '--nonsense' train "${tiny[@]}" --output "$folder/x"
differ 'its --output is not that of rank 0' . "--output $folder/y" train "${tiny[@]}" --output "$folder/x"
differ 'its --resume is not that of rank 0 ' . '--resume' train "${tiny[@]}" --output "$folder/x"
differ 'its command line is not that of rank 0 ' . '--seed 1' \
  sample --checkpoint "$folder/run" --count 1 --output "$folder/x.h5"
check "nothing was left behind" test ! -e "$folder/x" -a ! -e "$folder/y" -a ! -e "$folder/x.h5"
pushd "$folder" >/dev/null
differ 'on host .* the folder alone does not show what rank 0 writes there' elsewhere '' \
  train "${tiny[@]}" --output alone
popd >/dev/null

"$mpirun" 3 "$program" train "${tiny[@]}" --set training.steps=100000 --output "$folder/killed" >"$log" 2>&1 &
job=$!
until [[ -e $folder/killed/checkpoints/step-00000002.h5 ]] || ! kill -0 "$job" 2>/dev/null; do sleep 0.1; done
pgrep -f "^$program train .*--output $folder/killed" | tail -1 | xargs kill -9
status=0
wait "$job" || status=$?
check "a killed rank ends the job, with status $status" test "$status" != 0

echo "--- numbers that are not finite"
run 3 'stopped at step [0-9]+: loss .*; the last good checkpoint is .*/diverged/checkpoints/step-0000000' \
  "$mpirun" 2 "$program" train "${tiny[@]}" --set training.steps=50 --set training.learning_rate=1e30 \
  --set training.max_gradient_norm=none --set training.warmup_steps=0 --set training.sample_every=50 \
  --output "$folder/diverged"
check "checkpoints remain" sh -c "ls '$folder'/diverged/checkpoints/step-*.h5"
run 3 'stopped at step 1: values of model are not finite; there is no checkpoint yet' \
  "$mpirun" 2 "$program" train "${tiny[@]}" --set training.learning_rate=1e39 --set training.warmup_steps=0 \
  --output "$folder/infinite"
check "weights that are not finite are not saved" sh -c "! ls '$folder'/infinite/checkpoints/step-*.h5"

echo "--- sampling"
sample=("$program" sample --checkpoint "$folder/run" --steps 3)
run 0 'Wrote' "$mpirun" 2 "${sample[@]}" --count 3 --output "$folder/a.h5" --grid "$folder/a.png"
check "images are bytes [N, H, W, C]" sh -c "h5dump -H '$folder/a.h5' | tr -d '\n' | \
  grep -qE 'DATASET \"images\" \{ +DATATYPE +H5T_STD_U8LE +DATASPACE +SIMPLE \{ \( 3, 32, 32, 3 \)'"
check "a grid of them" sh -c "head -c 8 '$folder/a.png' | grep -q PNG"
# Names of a file system and of a single character, to an MPI library.
run 0 'Done: 1 step' env -C "$folder" "$program" train "${tiny[@]}" --set training.steps=1 --output nfs:run
check "... where it was to be" test -e "$folder/nfs:run/checkpoints/step-00000001.h5"
run 0 'Wrote s' env -C "$folder" "$program" sample --checkpoint run --steps 1 --count 1 --output s
awk 'BEGIN { srand(1); for (i = 0; i < 2 * 32 * 32 * 3; i++) print rand() + rand() + rand() + rand() - 2 }' \
  >"$folder/latents.txt"
h5import "$folder/latents.txt" -dims 2,32,32,3 -path latents -type TEXTFP -size 32 -o "$folder/latents.h5"
run 0 'Wrote' "${sample[@]}" --latents "$folder/latents.h5" --count 2 --output "$folder/b1.h5"
run 0 'Wrote' "$mpirun" 2 "${sample[@]}" --latents "$folder/latents.h5" --count 2 --output "$folder/b2.h5"
check "the same latents draw the same images" h5diff "$folder/b1.h5" "$folder/b2.h5" /images
run 0 'Wrote' "${sample[@]}" --count 2 --output "$folder/b3.h5"
check "latents matter" sh -c "! h5diff -q '$folder/b1.h5' '$folder/b3.h5' /images"
run 0 'Wrote' "${sample[@]}" --latents "$folder/latents.h5" --weights model --count 2 --output "$folder/b4.h5"
run 0 'Wrote' "${sample[@]}" --count 2 --weights 0.99 --output "$folder/b5.h5"
check "an average is found by its decay" h5diff "$folder/b3.h5" "$folder/b5.h5" /images
refuse '[-]-weights 0.5: .* has no average of this decay; it has 0.99' \
  sample --checkpoint "$folder/run" --weights 0.5 --count 1 --output "$folder/c.h5"
check "the last weights are not their average" sh -c "! h5diff -q '$folder/b1.h5' '$folder/b4.h5' /images"
run 2 'float32 \[2, 32, 32, 3\], but float32 \[3, 32, 32, 3\] is needed' \
  "${sample[@]}" --count 3 --latents "$folder/latents.h5" --output "$folder/c.h5"
run 2 'there is no such file' "${sample[@]}" --count 2 --latents "$folder/none.h5" --output "$folder/c.h5"
run 2 'it has no dataset `latents`' "${sample[@]}" --count 2 --latents "$folder/a.h5" --output "$folder/c.h5"
refuse 'there is no such file or folder' sample --checkpoint "$folder/none" --count 1 --output "$folder/c.h5"
refuse 'the process has 1000, so give 1 to 1000' sample --checkpoint "$folder/run" --steps 1001 --count 1 --output "$folder/c.h5"
run 0 'dpm-solver' "$program" samplers
refuse '[-]-eta is 1.0, which is for --sampler ddim; --sampler is ddpm' sample --checkpoint "$folder/run" --eta 1 --count 1 --output "$folder/c.h5"
refuse '[-]-snr is 0.1, which is for --sampler predictor-corrector and langevin; --sampler is ddpm' \
  sample --checkpoint "$folder/run" --snr 0.1 --count 1 --output "$folder/c.h5"
run 0 '3 evaluations' "$program" sample --checkpoint "$folder/run" --sampler edm --steps 2 --churn 40 --churn-min 0.05 \
  --churn-max 50 --churn-noise 1.003 --count 1 --output "$folder/c.h5"
run 0 '6 evaluations' "$program" sample --checkpoint "$folder/run" --sampler predictor-corrector --steps 2 \
  --corrections 2 --snr 0.1 --count 1 --output "$folder/c.h5"
refuse '[-]-churn is 1.0, which is for --sampler edm; --sampler is ddpm' \
  sample --checkpoint "$folder/run" --churn 1 --count 1 --output "$folder/c.h5"
refuse 'churn-min: noise cannot be added from level 2.0 to 1.0' \
  sample --checkpoint "$folder/run" --sampler edm --churn 1 --churn-min 2 --churn-max 1 --count 1 --output "$folder/c.h5"
rm "$folder/c.h5"
refuse "invalid for '--eta <x>': it must be from 0.0 to 1.0" \
  sample --checkpoint "$folder/run" --sampler ddim --eta 1.5 --count 1 --output "$folder/c.h5"
refuse '[-]-spacing is trailing, which is for --sampler ddpm, ddim and dpm-solver[+]+; --sampler is ode-heun' \
  sample --checkpoint "$folder/run" --sampler ode-heun --spacing trailing --count 1 --output "$folder/c.h5"
refuse '[-]-churn-max is 1.0, which is for --churn above 0; --churn is 0.0' \
  sample --checkpoint "$folder/run" --sampler edm --churn-max 1 --count 1 --output "$folder/c.h5"
refuse "'-1' is invalid for '--tolerance <x>': it must be above 0.0" \
  sample --checkpoint "$folder/run" --sampler ode-rk45 --tolerance -1 --count 1 --output "$folder/c.h5"
refuse '[-]-steps is 3, which is for --sampler .*; --sampler is ode-rk45' sample --checkpoint "$folder/run" --sampler ode-rk45 --steps 3 --count 1 \
  --output "$folder/c.h5"
for sampler in $("$program" samplers | awk '/^[a-z]/ { print $1 }'); do
  few=(--steps 2)
  [[ $sampler == ode-rk45 ]] && few=()
  again=("$program" sample --checkpoint "$folder/run" --sampler "$sampler" "${few[@]}" --count 3)
  run 0 'evaluations? of the network' "${again[@]}" --float --output "$folder/e1.h5"
  run 0 'evaluations? of the network' "$mpirun" 2 "${again[@]}" --float --batch 1 --output "$folder/e2.h5"
  check "$sampler: an image depends on its number alone" h5diff "$folder/e1.h5" "$folder/e2.h5" /samples
done
check "--float keeps the latents" sh -c "h5dump -H '$folder/e1.h5' | grep -q 'DATASET \"latents\"'"
run 0 'Wrote .*all.h5 and .*all.png and .*all; ' "${sample[@]}" --count 5 --float --output "$folder/all.h5" \
  --grid "$folder/all.png" --images "$folder/all"
run 0 'Wrote' "$mpirun" 2 "${sample[@]}" --batch 1 --count 2 --first 3 --float --output "$folder/part.h5" \
  --images "$folder/part"
run 0 'Wrote' "$mpirun" 2 "$program" sample --checkpoint "$folder/run" --steps 5 --batch 1 --count 3 --first 7 --every 2 \
  --float --output "$folder/ways.h5" --grid "$folder/ways.png" --images "$folder/ways"
run 0 'Wrote' "${sample[@]}" --latents "$folder/latents.h5" --first 1 --count 1 --output "$folder/b5.h5"
check "image k is the same in every drawing, file, sheet and film" "$(scripts/find-python.sh h5py PIL)" - "$folder" <<'PYTHON'
import os, sys
import h5py, numpy as np
from PIL import Image
def read(name): return np.asarray(Image.open(f"{sys.argv[1]}/{name}"))
def cell(sheet, row, column): return sheet[2 + 34 * row:34 + 34 * row, 2 + 34 * column:34 + 34 * column]
def names(folder): return sorted(os.listdir(f"{sys.argv[1]}/{folder}"))
whole, part, ways, b1, b5 = (h5py.File(f"{sys.argv[1]}/{name}.h5") for name in ("all", "part", "ways", "b1", "b5"))
for name in ("images", "samples", "latents"):
    assert np.array_equal(whole[name][3:], part[name][:]), name
assert "first" not in whole.attrs and part.attrs["first"] == 3
assert np.array_equal(b1["images"][1:], b5["images"][:])
assert names("all") == [f"{k:06}.png" for k in range(5)] and names("part") == ["000003.png", "000004.png"]
sheet = read("all.png")
for k in range(5):
    assert np.array_equal(read(f"all/{k:06}.png"), whole["images"][k])
    assert np.array_equal(cell(sheet, *divmod(k, 3)), whole["images"][k])
# After 0, 2, 4 and all 5 steps.
sheet = read("ways.png")
assert sheet.shape == (2 + 3 * 34, 2 + 4 * 34, 3) and names("ways") == ["000007", "000008", "000009"]
for row in range(3):
    assert names(f"ways/{7 + row:06}") == [f"{frame:04}.png" for frame in range(4)]
    frames = [read(f"ways/{7 + row:06}/{frame:04}.png") for frame in range(4)]
    for column, frame in enumerate(frames):
        assert np.array_equal(frame, cell(sheet, row, column))
    noise = np.clip(np.floor((ways["latents"][row] + np.float32(1)) * np.float32(127.5) + np.float32(0.5)), 0, 255)
    assert np.abs(frames[0] - noise).max() <= 1 and np.array_equal(frames[3], ways["images"][row])
    assert not np.array_equal(frames[1], frames[2])
PYTHON
refuse 'every: ode-rk45 chooses its steps by the error' \
  sample --checkpoint "$folder/run" --sampler ode-rk45 --every 2 --count 1 --grid "$folder/c.png"
refuse 'Nothing would be written' sample --checkpoint "$folder/run" --count 1
refuse 'every needs --grid or --images' sample --checkpoint "$folder/run" --every 2 --count 1 --output "$folder/c.h5"
refuse 'all is not empty' sample --checkpoint "$folder/run" --count 1 --images "$folder/all"
refuse 'count is 2; it must be at most 1' \
  sample --checkpoint "$folder/run" --first 4294967295 --count 2 --output "$folder/c.h5"
refuse 'float32 .2, 32, 32, 3., but float32 .3, 32, 32, 3. or more is needed' \
  sample --checkpoint "$folder/run" --first 1 --count 2 --latents "$folder/latents.h5" --output "$folder/c.h5"
"${sample[@]}" --count 10000000 --grid "$folder/many.png" >"$folder/many.log" 2>&1 &
job=$!
until grep -q Drawing "$folder/many.log" || ! kill -0 "$job" 2>/dev/null; do sleep 0.1; done
sleep 1
peak=$(awk '/^VmHWM/ { print $2 }' "/proc/$job/status")
kill "$job"
wait "$job" || true
check "ten million images take the memory of a batch, $peak KiB" test "$peak" -lt 1000000
refuse 'cannot write .*/none/c.h5' sample --checkpoint "$folder/run" --count 1 --output "$folder/none/c.h5"

echo "--- processes"
for process in ve vp-sde ve-sde sub-vp-sde edm; do
  run 0 'Done: 2 steps' "$mpirun" 2 "$program" train "${tiny[@]}" --set diffusion.process=$process \
    --set training.steps=2 --set sampling.steps=2 --output "$folder/$process"
  run 0 'Wrote' "$program" sample --checkpoint "$folder/$process" --steps 2 --count 1 --output "$folder/f.h5"
done
refuse '[-]-variance is small, which is for --sampler ddpm; --sampler is euler-maruyama' \
  sample --checkpoint "$folder/vp-sde" --variance small --count 1 --output "$folder/c.h5"
refuse '[-]-spacing is leading, which is for diffusion.process vp and ve; diffusion.process is vp-sde' \
  sample --checkpoint "$folder/vp-sde" --sampler dpm-solver++ --spacing leading --count 1 --output "$folder/c.h5"
by_keys=(--set training.steps=2 --set sampling.sampler=ddim --set sampling.eta=0.5 --set sampling.spacing=trailing)
run 0 'Done: 2 steps' "$program" train "${tiny[@]}" "${by_keys[@]}" --output "$folder/by-keys"
run 0 'by ddim in 2 steps' "$program" sample --checkpoint "$folder/by-keys" --count 2 --output "$folder/k1.h5"
run 0 'by ddim in 2 steps' "$program" sample --checkpoint "$folder/by-keys" --count 2 --sampler ddim --eta 0.5 \
  --spacing trailing --output "$folder/k2.h5"
run 0 'by ddim in 2 steps' "$program" sample --checkpoint "$folder/by-keys" --count 2 --eta 0 --output "$folder/k3.h5"
check "a model draws as its keys say" h5diff "$folder/k1.h5" "$folder/k2.h5" /images
check "... unless an option says otherwise" sh -c "! h5diff -q '$folder/k1.h5' '$folder/k3.h5' /images"
run 0 'by ode-rk45' "$program" sample --checkpoint "$folder/by-keys" --count 1 --sampler ode-rk45 --tolerance 0.1 \
  --output "$folder/k4.h5"
refuse 'sampling.churn is 1.0, which is for sampling.sampler edm; sampling.sampler is ddim' \
  train "${tiny[@]}" "${by_keys[@]}" --set sampling.churn=1 --output "$folder/none"
refuse 'sampling.sampler: ddim needs a discrete process' \
  train "${tiny[@]}" --set diffusion.process=vp-sde --set sampling.sampler=ddim --output "$folder/none"
run 0 'Done: 2 steps' "$program" train "${tiny[@]}" --set diffusion.steps=20 --set training.steps=2 \
  --output "$folder/few"
run 0 'Done: 2 steps' "$program" train "${tiny[@]}" --set diffusion.schedule=cosine \
  --set diffusion.prediction=velocity --set diffusion.loss=min-snr --set training.steps=2 --output "$folder/velocity"
refuse 'diffusion.loss: edm is for the process edm' train --set diffusion.loss=edm --output "$folder/none"
refuse 'diffusion.prediction: mean is for the discrete processes' \
  train --set diffusion.process=ve-sde --set diffusion.prediction=mean --output "$folder/none"
refuse 'ddim needs a discrete process; .* take euler-maruyama' \
  sample --checkpoint "$folder/edm" --sampler ddim --count 1 --output "$folder/c.h5"

echo "--- classes, learned variances, guidance"
refuse 'model.classes is 3, but shapes has 5 classes \(circle,' train "${tiny[@]}" --set model.classes=3 --output "$folder/none"
refuse 'label_dropout is 0.1, but the network is told no classes' \
  train --set training.label_dropout=0.1 --output "$folder/none"
refuse 'diffusion.loss: simple does not train the variance' \
  train --set diffusion.variance=learned --output "$folder/none"
refuse 'time_sampling is loss-aware, which is for diffusion.process vp and ve;' \
  train --set diffusion.time_sampling=loss-aware --set diffusion.process=edm --output "$folder/none"
told=("${tiny[@]}" --set model.classes=5)
run 0 'Done' "$mpirun" 2 "$program" train "${told[@]}" --set training.label_dropout=0.3 \
  --set diffusion.variance=learned-range --set diffusion.loss=hybrid --set diffusion.time_sampling=loss-aware \
  --trace "$folder/told.h5" --output "$folder/told"
check "a trace has the classes" h5dump -H -d /step-00000001/classes "$folder/told.h5"
run 0 'Done' "$program" train "${told[@]}" --output "$folder/always-told"
run 0 'Done' "$program" train "${tiny[@]}" --set diffusion.variance=learned --set diffusion.loss=variational \
  --output "$folder/learned"
run 0 'Accuracy on 512 noisy test images' "$mpirun" 2 "$program" train-classifier "${tiny[@]}" --output "$folder/judge"
check "it says so" sh -c "'$program' inspect '$folder/judge/checkpoints/step-00000004.h5' | grep -q 'classifier of 5 classes'"
run 0 'step 4/4|all 4 steps are done' "$program" train-classifier --resume --output "$folder/judge"
refuse_in_turn 'step-00000004.h5 is a classifier, not a denoiser' train --resume --output "$folder/judge"
run 0 'Done' "$program" train-classifier "${tiny[@]}" --set diffusion.process=vp-sde --output "$folder/other-judge"
run 0 'Done' "$program" train-classifier "${tiny[@]}" --set diffusion.process=edm --output "$folder/edm-judge"
refuse 'evaluation.every is 2, but a classifier draws no images' \
  train-classifier "${tiny[@]}" --set evaluation.every=2 --output "$folder/x"
aware=("${tiny[@]}" --set diffusion.steps=2 --set training.steps=12 --set training.checkpoint_every=none
  --set training.sample_every=none)
for sampling in even loss-aware; do
  run 0 'Done' "$program" train-classifier "${aware[@]}" --set diffusion.time_sampling=$sampling --output "$folder/$sampling"
done
run 0 'Done' "$mpirun" 2 "$program" train-classifier "${aware[@]}" --set diffusion.time_sampling=loss-aware \
  --output "$folder/loss-aware-2"
check "a classifier's times are drawn as its losses say" sh -c "! h5diff -q \
  '$folder/even/checkpoints/step-00000012.h5' '$folder/loss-aware/checkpoints/step-00000012.h5' /model"
check "... on any number of ranks" h5diff "$folder/loss-aware/checkpoints/step-00000012.h5" \
  "$folder/loss-aware-2/checkpoints/step-00000012.h5"
run 0 '^/loss_aware_steps: 2 tensors, 22 numbers, whole' \
  "$program" inspect "$folder/loss-aware/checkpoints/step-00000012.h5"
# With the configuration of the model that it is to guide.
run 0 'Done' "$program" train-classifier "${told[@]}" --set training.label_dropout=0.3 --output "$folder/told-judge"
draw=(sample --steps 2 --count 3)
run 0 '2 evaluations' "$program" "${draw[@]}" --checkpoint "$folder/told" --output "$folder/g0.h5"
check "labels are kept" sh -c "h5dump -d /labels '$folder/g0.h5' | grep -q '0, 1, 2'"
run 0 '4 evaluations' "$mpirun" 2 "$program" "${draw[@]}" --checkpoint "$folder/told" --guidance 1.5 --classes 4,none \
  --float --output "$folder/g1.h5"
run 0 '4 evaluations' "$program" "${draw[@]}" --checkpoint "$folder/told" --guidance 1.5 --classes 4,none --float \
  --batch 2 --output "$folder/g2.h5"
check "guided images do not depend on the ranks" h5diff "$folder/g1.h5" "$folder/g2.h5" /samples
run 0 '2 evaluations' "$program" "${draw[@]}" --checkpoint "$folder/told" --class 4 --variance small --output "$folder/g3.h5"
for sampler in $("$program" samplers | awk '/^[a-z]/ { print $1 }'); do
  few=(--steps 2)
  [[ $sampler == ode-rk45 ]] && few=(--tolerance 0.01)
  run 0 'evaluations? of the network' "$program" sample --checkpoint "$folder/learned" --classifier "$folder/judge" \
    --sampler "$sampler" "${few[@]}" --count 1 --guidance 0.5 --output "$folder/g4.h5"
  run 0 'evaluations? of the network' "$program" sample --checkpoint "$folder/told" --guidance 0.5 --class 2 \
    --sampler "$sampler" "${few[@]}" --count 1 --output "$folder/g4.h5"
done
run 0 'Wrote' "$program" "${draw[@]}" --checkpoint "$folder/edm" --classifier "$folder/edm-judge" --sampler edm \
  --output "$folder/g5.h5"
run 0 '4 evaluations' "$program" "${draw[@]}" --checkpoint "$folder/told" --guidance -1 --output "$folder/g6.h5"
check "guidance of less than nothing is another" sh -c "! h5diff -q '$folder/g0.h5' '$folder/g6.h5' /images"
refuse 'guidance: the model was trained without classes; .*, or give a --classifier' \
  "${draw[@]}" --checkpoint "$folder/edm" --guidance 1 --output "$folder/c.h5"
refuse 'class: the model was trained without classes' "${draw[@]}" --checkpoint "$folder/edm" --class 1 --output "$folder/c.h5"
refuse 'class: there is no class 5; they are 0 to 4' "${draw[@]}" --checkpoint "$folder/told" --class 5 --output "$folder/c.h5"
refuse 'guidance: the model has always been told the class' \
  "${draw[@]}" --checkpoint "$folder/always-told" --guidance 1 --output "$folder/c.h5"
refuse "'nan' is invalid for '--guidance <g>': expected a number" "${draw[@]}" --checkpoint "$folder/told" --guidance nan --output "$folder/c.h5"
refuse "'x' is invalid for '--class" "${draw[@]}" --checkpoint "$folder/told" --class x --output "$folder/c.h5"
refuse '[-]-class and --classes exclude each other' \
  "${draw[@]}" --checkpoint "$folder/told" --class 1 --classes 1,2 --output "$folder/c.h5"
refuse 'variance: learned-range needs a model that was trained with diffusion.variance=learned-range' \
  "${draw[@]}" --checkpoint "$folder/always-told" --variance learned-range --output "$folder/c.h5"
refuse '[-]-variance is small, which is for --sampler ddpm; --sampler is ddim' \
  "${draw[@]}" --checkpoint "$folder/told" --sampler ddim --variance small --output "$folder/c.h5"
refuse 'this is a classifier, which draws no images' "${draw[@]}" --checkpoint "$folder/judge" --output "$folder/c.h5"
refuse 'this is no classifier' \
  "${draw[@]}" --checkpoint "$folder/told" --classifier "$folder/told" --output "$folder/c.h5"
refuse 'trained with diffusion.process=vp-sde, but the model with vp' \
  "${draw[@]}" --checkpoint "$folder/told" --classifier "$folder/other-judge" --output "$folder/c.h5"

echo "--- likelihoods and latents"
likely=(likelihood --count 3 --batch 2)
# With a zero terminal SNR the last step is pure noise: the bound's prior costs nothing.
run 0 Done "$program" train "${tiny[@]}" --set diffusion.zero_terminal_snr=true --set diffusion.steps=20 \
  --set diffusion.prediction=velocity --output "$folder/zero-snr"
run 0 '^prior 0.00000, steps [0-9.]+, image [0-9.]+$' "$program" "${likely[@]}" --checkpoint "$folder/zero-snr" \
  --method bound
run 0 'bits per dimension \(probability flow' "$program" likelihood --count 1 --checkpoint "$folder/zero-snr" --method ode \
  --tolerance 0.1
for method in bound ode; do
  few=()
  [[ $method == ode ]] && few=(--tolerance 0.01)
  for ranks in 1 2; do
    run 0 '"bits_per_dimension":' "$mpirun" "$ranks" "$program" "${likely[@]}" --method "$method" "${few[@]}" \
      --checkpoint "$folder/few" --json
    cp "$log" "$folder/$method-$ranks.json"
  done
  check "$method: does not depend on the ranks" cmp "$folder/$method-1.json" "$folder/$method-2.json"
done
check "one line with all keys" python3 - "$folder/bound-1.json" <<'PYTHON'
import json, sys
lines = open(sys.argv[1]).read().splitlines()
result = json.loads(lines[0])
assert len(lines) == 1 and result["count"] == 3 and result["method"] == "bound", lines
assert abs(sum(result["parts"].values()) - result["bits_per_dimension"]) < 1e-9, result
assert result["standard_error"] > 0 and result["evaluations"] == 20, result
PYTHON
run 0 '± [0-9.]+ bits per dimension' "$program" "${likely[@]}" --method ode --tolerance 0.01 --probe gaussian \
  --checkpoint "$folder/vp-sde"
refuse 'bound is for the discrete processes vp and ve, .* take ode' \
  "${likely[@]}" --method bound --checkpoint "$folder/vp-sde"
refuse 'count is 20000, but the test images of shapes are 10000' \
  likelihood --count 20000 --method ode --checkpoint "$folder/vp-sde"
refuse 'probe and --tolerance are for --method ode' \
  "${likely[@]}" --method bound --tolerance 0.1 --checkpoint "$folder/few"
# A network of two steps makes the flow steep.
exact=(--tolerance 1e-7)
run 0 'Wrote' "$mpirun" 2 "$program" encode --checkpoint "$folder/vp-sde" --count 3 --output "$folder/z.h5" \
  --grid "$folder/z.png" "${exact[@]}"
run 0 'Wrote' "$program" decode --checkpoint "$folder/vp-sde" --latents "$folder/z.h5" --output "$folder/x.h5" --float \
  "${exact[@]}"
# Of 255 levels.
run 0 'Wrote' "$program" encode --checkpoint "$folder/vp-sde" --count 3 --split training --tolerance 0.1 \
  --output "$folder/t.h5"
check "images of the other split are others" sh -c "! h5diff -q '$folder/z.h5' '$folder/t.h5' /images"
check "a round trip returns the images" h5diff -d 1 "$folder/z.h5" "$folder/x.h5" /images
run 0 'Wrote' "$mpirun" 2 "$program" interpolate --checkpoint "$folder/vp-sde" --rows 2 --columns 3 --tolerance 0.01 \
  --grid "$folder/i.png" --output "$folder/i1.h5" --float
run 0 'Wrote' "$program" interpolate --checkpoint "$folder/vp-sde" --rows 2 --columns 3 --tolerance 0.01 \
  --grid "$folder/i.png" --output "$folder/i2.h5" --float --batch 4
check "ways do not depend on the ranks" h5diff "$folder/i1.h5" "$folder/i2.h5" /samples
run 0 'Wrote' "$program" interpolate --checkpoint "$folder/told" --rows 2 --columns 2 --tolerance 0.1 --random \
  --grid "$folder/i.png"
refuse 'a dataset `labels`, int64 \[N\], is needed' \
  decode --checkpoint "$folder/told" --latents "$folder/latents.h5" --output "$folder/c.h5"
refuse 'columns is 1; it must be at least 2' \
  interpolate --checkpoint "$folder/vp-sde" --columns 1 --grid "$folder/i.png"
refuse 'tolerance: 0.0 must be positive' \
  encode --checkpoint "$folder/vp-sde" --count 1 --tolerance 0 --output "$folder/c.h5"

echo "--- checkpoints"
newest=$folder/run/checkpoints/step-00000004.h5
run 0 '/optimizer/second_moment: .* whole' "$program" inspect "$newest"
offset=$(h5dump -p -H -d /model/conv_in.weight "$newest" | awk '$1 == "OFFSET" { print $2 }')
printf '\377' | dd of="$newest" bs=1 seek="$((offset + 3))" conv=notrunc status=none
run 4 'DAMAGED: model/conv_in.weight' "$program" inspect "$newest"
check "... in its message" grep -qE 'ddpm-mpi: .*step-00000004.h5: tensor model/conv_in.weight is damaged' "$log"
run 4 'it is a folder, not a file' "$program" inspect "$folder/run"
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

echo "--- benchmark"
quick=(benchmark --preset shapes --set 'model.multipliers=[1, 1]' --batch 4 --steps 2)
run 0 '"images_per_second_median":' "$mpirun" 2 "$program" "${quick[@]}" --json
cp "$log" "$folder/benchmark.json"
check "one line with all keys" python3 - "$folder/benchmark.json" <<'PYTHON'
import json, sys
lines = open(sys.argv[1]).read().splitlines()
result = json.loads(lines[0])
keys = ["images_per_second_best", "seconds_per_step", "peak_resident_gb", "ranks", "threads", "parameters",
        "images_per_second_per_core", "vector_bits", "forward_gflop_per_image", "setup_seconds", "reduction"]
assert len(lines) == 1 and all(key in result for key in keys) and result["ranks"] == 2, result
assert result["vector_bits"] in (128, 256, 512) and len(result["seconds_per_step"]) == 2, result
assert abs(2 * result["images_per_second_per_core"] - result["images_per_second_median"]) < 0.01, result
PYTHON
for job in '--preset shapes --batch 16 --micro-batch 16' '--preset cifar10 --batch 4 --micro-batch 4' \
  '--preset cifar10-ncsnpp-ve --batch 2 --micro-batch 1' '--preset cifar10 --batch 8 --job sample'; do
  # shellcheck disable=SC2086  # They are several arguments.
  run 0 '"memory_estimate_gb":' "$program" benchmark $job --steps 1 --json
  check "... whose memory was estimated well" python3 - "$log" <<'PYTHON'
import json, sys
result = json.load(open(sys.argv[1]))
# Besides what the estimate counts, the program itself takes some.
program = 0.1
peak, estimate = result["peak_resident_gb"], result["memory_estimate_gb"]
assert peak / 2 - program < estimate < peak, (peak, estimate)
PYTHON
done
run 0 'batch 16 in micro-batches of 2' "$mpirun" 3 "$program" benchmark --preset shapes --steps 1
run 0 '[0-9] per core, .*resident' "$program" benchmark --preset shapes --job sample --batch 4 --steps 2
check "... with the width of its vectors" grep -qE '^vectors of (128|256|512) bits' "$log"
run 0 'gradients by MPI_Allreduce' "$mpirun" 2 "$program" "${quick[@]}" --reduction allreduce
run 0 'images of 16x16, 1 rank' "$program" "${quick[@]}" --image-size 16 --set 'model.attention_resolutions=[8]'
run 0 '"setup_seconds":' "$mpirun" 2 "$program" benchmark --preset shapes --job start --json
check "... without a step" sh -c "! grep -q seconds_per_step '$log'"
run 0 'Weak scaling: 4 images per step and rank' "$mpirun" 3 "$program" "${quick[@]}" --batch 12 --scaling
check "... on 1, 2 and 3 ranks, twice" test "$(grep -oE '^ +[123] +[0-9]+ ' "$log" | tr -s ' \n' ' ')" = \
  ' 1 12 2 12 3 12 1 4 2 8 3 12 '
run 0 '"strong":' "$mpirun" 2 "$program" "${quick[@]}" --scaling --json
cp "$log" "$folder/scaling.json"
check "... as JSON" python3 - "$folder/scaling.json" <<'PYTHON'
import json, sys
result = json.loads(open(sys.argv[1]).read())
for name, batches in (("strong", [4, 4]), ("weak", [2, 4])):
    rows = result[name]
    assert [row["ranks"] for row in rows] == [1, 2] and [row["batch"] for row in rows] == batches, rows
    speeds = [row["images_per_second_median"] for row in rows]
    assert rows[0]["efficiency"] == 1 and abs(rows[1]["efficiency"] - speeds[1] / speeds[0] / 2) < 1e-3, rows
PYTHON
for ranks in 1 2; do
  run 0 '^3x3 convolution forward +[0-9.]+ +[0-9.]+% ' "$mpirun" "$ranks" "$program" benchmark --preset shapes --steps 2 \
    --profile
  check "... and the whole step on $ranks" grep -qE '^whole step +[0-9.]+ +100.0% ' "$log"
  check "... within 100 columns" sh -c "sed 1,3d '$log' | awk 'length > 100 { exit 1 }'"
  run 0 '"profile":' "$mpirun" "$ranks" "$program" "${quick[@]}" --profile --json
  cp "$log" "$folder/profile.json"
  check "... as JSON" python3 - "$folder/profile.json" <<'PYTHON'
import json, sys
result = json.loads(open(sys.argv[1]).read())
rows, step, scale = result["profile"], result["profile_step"], result["profile_scale"]
names = [row["operation"] for row in rows]
assert len(set(names)) == len(names) and names[-1] == "other" and "Adam" in names, names
assert all(row["seconds"] > 0 for row in rows if row["calls"]) and rows[-1]["seconds"] >= 0, rows
assert abs(sum(row["seconds"] for row in rows) - step["seconds"]) < 1e-4, rows
assert abs(sum(row["share"] for row in rows) - 1) < 1e-3, rows
mean = sum(result["seconds_per_step"]) / len(result["seconds_per_step"])
assert abs(step["seconds"] - mean) < 0.01 * mean + 1e-4 and scale["images"] == 4 // result["ranks"], result
# A training step has three times the arithmetic of a forward pass, but for gradients of the network's inputs.
assert 2.9 < scale["direct_gflop_per_image"] / result["forward_gflop_per_image"] <= 3, result
assert 0 < step["share_of_peak"] < 1 and scale["copy_gb_per_second"] > 0, result
PYTHON
done
run 0 '^attention forward ' "$program" "${quick[@]}" --job sample --profile
check "no profile without --profile" sh -c "! grep -q profile '$folder/benchmark.json'"
refuse '--batch 10 is not a multiple of --micro-batch 4' benchmark --preset shapes --batch 10 --micro-batch 4
refuse '--set training.batch=8: a benchmark takes keys of model, training.recompute_activations, training.overlap, ' benchmark --set training.batch=8
refuse 'did you mean model.channels' benchmark --set model.chanels=64
run 0 '^ +4 +[0-9]+ x [0-9]+ ' \
  "$program" plan --preset shapes --nodes 4 --cores-per-node 4 --network-gbps 10
check "... within 120 columns" sh -c "! grep -q '.\{121\}' '$log'"
run 0 '"efficiency":' \
  "$program" plan --preset shapes --nodes 2 --cores-per-node 1 --network-gbps 1 --set training.overlap=false --json
check "... as JSON" python3 - "$log" <<'PYTHON'
import json, sys
plan = json.loads(open(sys.argv[1]).read())
one, two = plan["rows"]
assert one["exposed_seconds"] == 0 and two["exposed_seconds"] > 0, plan
# Without overlap two machines wait for all that the network takes.
assert two["exposed_seconds"] >= two["network_seconds"] * 0.999, plan
assert two["seconds_per_step"] < one["seconds_per_step"] and 0.5 < two["efficiency"] <= 1, plan
assert plan["checkpoint_bytes"] >= 4 * 4 * plan["parameters"], plan
PYTHON
run 0 '"checkpoint_seconds":' "$program" plan --preset shapes --nodes 2 --cores-per-node 2 --network-gbps 1 --json \
  --ranks-per-node 1 --network-latency-us 5000 --core-network-gbytes 1 --memory-gbytes 10 --storage-gbytes 0.001 \
  --core-speed 0.001
check "... of such machines" python3 - "$log" <<'PYTHON'
import json, sys
plan = json.loads(open(sys.argv[1]).read())
one, two = plan["rows"]
assert (one["ranks_per_node"], one["threads"]) == (1, 2) and two["network_seconds"] > 0.005, plan
assert abs(plan["checkpoint_seconds"] - plan["checkpoint_bytes"] / 1e6) < 0.01 * plan["checkpoint_seconds"], plan
# A thousandth of this machine's speed.
assert one["seconds_per_step"] > 5, plan
PYTHON
run 2 'nodes 64 are more than the 16 images of a batch' \
  "$program" plan --preset shapes --nodes 64 --cores-per-node 1 --network-gbps 1
run 2 '--network-gbps is 0' "$program" plan --nodes 2 --cores-per-node 1 --network-gbps 0
run 2 'plan measures in one process' "$mpirun" 2 "$program" plan --nodes 2 --cores-per-node 1 --network-gbps 1
refuse 'a resolution that the network does not have; with images of 24x24' \
  benchmark --preset shapes --image-size 24
refuse '--image-size is 0; it must be at least 1' benchmark --image-size 0
refuse '--reduction is for --job train; --job sample adds up no gradients' \
  benchmark --job sample --reduction allreduce
refuse "The value 'ring' is invalid for '--reduction" benchmark --reduction ring
refuse '--steps and --job start exclude each other' benchmark --job start --steps 2
refuse '--scaling and --job start exclude each other' benchmark --job start --scaling
refuse '--profile and --job start exclude each other' benchmark --job start --profile
refuse '--profile and --scaling exclude each other' benchmark --profile --scaling
run 2 '--scaling compares numbers of ranks, and this job has one' "$program" "${quick[@]}" --scaling
run 2 '--batch 5 cannot be shared evenly by 2 ranks' "$mpirun" 2 "$program" benchmark --scaling --batch 5
run 2 'There is no row speed; the rows are train-cifar10' scripts/benchmark-against-pytorch.sh speed
run 2 'There is no table width; the tables are batch' scripts/benchmark-growth.sh width
run 0 '^\| 64x64 ' env RANKS=1 MICRO_BATCH=1 STEPS=1 scripts/benchmark-growth.sh resolution

echo "--- trace"
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

finish
