#!/usr/bin/env bash
# What commands write: whole or not at all, over no input, no device and no other output, and links are followed; and that
# a full disk and a full standard output are errors. Each case prints one line.
set -euo pipefail
cd "$(dirname "$0")/../.."

source scripts/shared/cases.sh

"$program" train --preset shapes --set training.batch=2 --set training.micro_batch=1 --set training.steps=1 \
  --set training.checkpoint_every=1 --set training.sample_every=1 --set sampling.count=1 --set sampling.steps=1 \
  --set 'model.multipliers=[1, 1]' --output "$folder/run" >"$log" 2>&1
model=$folder/model.h5
cp "$folder/run/checkpoints/step-00000001.h5" "$model"
"$program" train-classifier --preset shapes --set training.batch=2 --set training.micro_batch=1 --set training.steps=1 \
  --set training.sample_every=1 --set 'model.multipliers=[1, 1]' --output "$folder/judge" >"$log" 2>&1
judge=$folder/judge/checkpoints/step-00000001.h5
"$program" sample --checkpoint "$model" --steps 1 --count 2 --float --output "$folder/drawn.h5" >"$log"
"$program" export --checkpoint "$model" "$folder/exported" >"$log"
"$program" pack "$folder/drawn.h5" --output "$folder/packed.h5" >"$log"
python3 -c 'import sys, numpy; numpy.savez(sys.argv[1], mu=numpy.zeros(4), sigma=numpy.eye(4))' "$folder/drawn.npz"

# Each command that writes: OUT stands for what it writes, beside its inputs, which it must not replace.
commands=(
  "sample --checkpoint $model --steps 1 --count 1 --output OUT|$model"
  "sample --checkpoint $model --steps 1 --count 2 --latents $folder/drawn.h5 --output OUT|$folder/drawn.h5"
  "sample --checkpoint $model --steps 1 --count 1 --output $folder/sub/other.h5 --grid OUT|$model"
  "sample --checkpoint $folder/run --steps 1 --count 1 --output OUT|$folder/run/checkpoints/step-00000001.h5"
  "encode --checkpoint $model --tolerance 0.1 --count 1 --output OUT|$model"
  "decode --checkpoint $model --tolerance 0.1 --latents $folder/drawn.h5 --output OUT|$folder/drawn.h5"
  "decode --checkpoint $model --tolerance 0.1 --latents $folder/drawn.h5 --output $folder/sub/other.h5 --grid OUT|$model"
  "interpolate --checkpoint $model --tolerance 0.1 --rows 1 --columns 2 --random --grid OUT|$model"
  "fid $folder/drawn.npz $folder/drawn.npz --save-statistics OUT|$folder/drawn.npz"
  "report $folder/run --output OUT|$folder/run/config.yaml"
  "export --checkpoint $judge --format features --name mine --force OUT|$judge"
  "import $folder/exported --output OUT.h5|"
  "pack $folder/drawn.h5 --force --output OUT|$folder/drawn.h5"
  "train --preset shapes --set training.steps=1 --set training.batch=2 --set training.micro_batch=1 --set sampling.count=1
   --set sampling.steps=1 --set model.multipliers=[1,1] --set data.name=hdf5 --set data.path=$folder/packed.h5
   --output $folder/traced --trace OUT|$folder/packed.h5"
)

mkdir "$folder/sub"
# Of a command and what it writes, the words.
words() { read -r -d '' -a arguments <<<"${1//OUT/$2}" || true; }
# What is in the folder for outputs, hidden names too.
left() { find "$folder/sub" -mindepth 1 | sort; }

for row in "${commands[@]}"; do
  line=${row%|*} input=${row##*|}
  name=${line%% *}
  [[ $line == *--grid\ OUT* ]] && name+=' --grid'
  ending=
  [[ $line == *OUT.h5* ]] && ending=.h5
  rm -rf "$folder/sub" "$folder/traced"
  mkdir "$folder/sub"

  # Nothing that is read may be replaced, by whatever name.
  if [[ -n $input ]]; then
    ln -s "$input" "$folder/sub/link"
    ln "$input" "$folder/sub/hard"
    before=$(sha256sum "$input")
    places=("$input" "$(dirname "$input")/./$(basename "$input")" "$folder/sub/link")
    # Another name of a file in a folder is no file of the folder.
    [[ $line == *"--checkpoint $folder/run "* ]] || places+=("$folder/sub/hard")
    for place in "${places[@]}"; do
      words "$line" "$place"
      run 2 'which is read; name another file|is a file of the run itself' "$program" "${arguments[@]}"
    done
    check "$name: the input is as it was" test "$(sha256sum "$input")" = "$before" -a -L "$folder/sub/link"
    rm "$folder/sub/link" "$folder/sub/hard"
  fi

  # What is no file stays.
  mkfifo "$folder/sub/pipe$ending"
  words "$line" "$folder/sub/pipe"
  run 2 'is a pipe; name a file|pipe.h5 exists' "$program" "${arguments[@]}"
  if ((EUID == 0)) && mknod "$folder/sub/device$ending" c 1 7 2>/dev/null; then
    words "$line" "$folder/sub/device"
    run 2 'is a device; name a file|device.h5 exists' "$program" "${arguments[@]}"
    check "$name: a device stays" test -c "$folder/sub/device$ending"
  fi
  check "$name: a pipe stays" test -p "$folder/sub/pipe$ending"
  rm -rf "$folder/sub" "$folder/traced"
  mkdir "$folder/sub"

  # A full disk leaves nothing.
  if ((EUID == 0)) && mount -t tmpfs -o size=4k tmpfs "$folder/sub" 2>/dev/null; then
    head -c 4096 /dev/zero >"$folder/sub/full"
    words "$line" "$folder/sub/out"
    status=0
    timeout 120 "$program" "${arguments[@]}" >"$log" 2>&1 </dev/null || status=$?
    check "$name: a full disk is an error, with status $status" test "$status" = 1 -o "$status" = 2 -o "$status" = 4
    check "$name: ... and leaves nothing" test "$(left)" = "$folder/sub/full"
    umount "$folder/sub"
  fi
  rm -rf "$folder/traced"

  # A link is followed.
  ln -s "target$ending" "$folder/sub/link$ending"
  words "$line" "$folder/sub/link"
  run 0 '' "$program" "${arguments[@]}"
  check "$name: a link is followed" test -L "$folder/sub/link$ending" -a -s "$folder/sub/target$ending"
  check "$name: nothing else is left" sh -c "! ls -A '$folder/sub' | grep -q partial"
done

run 2 'grid .* and --output are the same file; name two' "$program" sample --checkpoint "$model" --count 1 \
  --output "$folder/sub/same" --grid "$folder/sub/../sub/same"
run 2 'would replace --checkpoint' "$mpirun" 2 "$program" sample --checkpoint "$model" --count 1 --output "$model"
check "... once" test "$(grep -c 'ddpm-mpi:' "$log")" = 1
mkdir "$folder/exported/inner"
cp "$model" "$folder/exported/inner/model.h5"
run 2 'would replace --checkpoint' "$program" export --checkpoint "$folder/exported/inner/model.h5" --force "$folder/exported"
check "... and it is still there" test -s "$folder/exported/inner/model.h5"

echo "--- standard output"
if [[ -e /dev/full ]]; then
  for words in samplers presets --help --version 'sample --help' "inspect $model" \
    "likelihood --checkpoint $model --method ode --tolerance 0.5 --count 1 --json" \
    "fid $folder/drawn.npz $folder/drawn.npz --json" "sample --checkpoint $model --steps 1 --count 1 --output $folder/o.h5"; do
    read -r -a arguments <<<"$words"
    run 1 'cannot write to standard output: No space left on device' \
      sh -c '"$@" >/dev/full' sh "$program" "${arguments[@]}"
    run 1 'cannot write to standard output: ' sh -c '"$@" >&-' sh "$program" "${arguments[@]}"
  done
  check "a closed standard output gets into no file" "$program" inspect "$model"
  status=0
  "$program" nonsense 2>/dev/full || status=$?
  check "a full standard error leaves the status as it is" test "$status" = 2
fi

finish
