# Models that move to Hugging Face's diffusers and back. Run by scripts/test/peers.sh.

peer=$PWD/.build/release/peer-program
models="$python Tests/Peers/diffusers_models.py"
check "the peer program is built" test -x "$peer"
moved=$folder/diffusers
mkdir "$moved"
export DIFFUSERS_VERBOSITY=error

tiny=(--preset shapes --set training.steps=12 --set training.batch=4 --set training.micro_batch=2
  --set training.learning_rate=0.003 --set training.warmup_steps=1 --set training.ema_decays='[0.5]'
  --set model.channels=16 --set model.multipliers='[1, 2]' --set model.attention_resolutions='[16]'
  --set sampling.count=1 --set sampling.steps=2)

# exported NAME SETTING...: trains a model, and exports it.
exported() {
  local name=$1
  shift
  run 0 'Done' "$program" train "${tiny[@]}" "$@" --output "$moved/run-$name"
  run 0 "Wrote $moved/$name: the averaged weights of .*step-00000012.h5" "$program" export \
    --checkpoint "$moved/run-$name" --format diffusers "$moved/$name"
}
exported plain
exported classes --set model.classes=5 --set training.label_dropout=0.2 --set diffusion.variance=large
exported learned --set diffusion.variance=learned-range --set diffusion.loss=hybrid --set diffusion.schedule=cosine
exported velocity --set diffusion.prediction=velocity --set diffusion.schedule=quadratic --set diffusion.steps=500 \
  --set diffusion.variance=large
exported zero-snr --set diffusion.prediction=velocity --set diffusion.zero_terminal_snr=true
exported data --set diffusion.prediction=data --set diffusion.schedule=sigmoid --set sampling.clip=false
exported improved --set model.heads=4 --set model.time_conditioning=scale-shift \
  --set diffusion.variance=learned-range --set diffusion.loss=hybrid
exported heads --set model.head_channels=8 --set model.attention_resolutions='[16, 32]'

exported edm --set diffusion.process=edm --set diffusion.loss=edm --set sampling.clip=false
check "... without a pipeline, which would scale nothing" test ! -e "$moved/edm/model_index.json"

# What diffusers has made.
made=$moved/made
mkdir "$made"
check "diffusers makes models" $models make "$made"
for name in cifar legacy; do
  run 0 "Imported $made/$name: " "$program" import "$made/$name" --output "$moved/$name.h5"
done
run 2 'num_class_embeds: is 5, but it is not known whether the last of them is for no class; use --classes 5' \
  "$program" import "$made/classes" --output "$moved/classes.h5"
run 0 'Imported .*images of 16x24x3, process vp of 1000 steps, cosine, prediction data, variance small' \
  "$program" import "$made/classes" --classes 4 --output "$moved/classes.h5"
run 0 'variance learned-range' "$program" import "$made/learned" --output "$moved/learned.h5"
run 0 'Imported' "$program" import "$made/heads" --output "$moved/heads.h5"

names=(plain classes learned velocity zero-snr data improved heads edm)
exports=("${names[@]/#/$moved/}")
imports=("$made"/{cifar,legacy,classes,heads,learned})
check "inputs for both" $models inputs "${exports[@]}" "${imports[@]}"
for name in "${names[@]}"; do
  check "what the network of $name says" "$peer" network "$moved/run-$name" "$moved/$name.input.safetensors" \
    "$moved/$name.output.safetensors"
  way=(--sampler ddim --spacing leading)
  if [[ $name == edm ]]; then way=(--sampler dpm-solver++); fi
  if [[ $name == zero-snr ]]; then way=(--sampler ddim --spacing trailing); fi
  if [[ $name == classes ]]; then way+=(--classes 0,3,none); fi
  run 0 'Wrote' "$program" sample --checkpoint "$moved/run-$name" --count 3 "${way[@]}" --steps 10 \
    --latents "$moved/$name.latents.h5" --float --output "$moved/$name.images.h5"
done
for name in cifar legacy classes heads learned; do
  check "what the network of $name says, imported" "$peer" network "$moved/$name.h5" \
    "$made/$name.input.safetensors" "$made/$name.output.safetensors"
done
run 0 '^edm: ' $models outputs "${exports[@]}"
cat "$log"
run 0 '^learned: ' $models outputs "${imports[@]}"
cat "$log"
run 0 '^edm: .*steps of EDMDPMSolver' $models draw "${exports[@]}"
cat "$log"

# There and back.
pairs=()
for name in plain classes learned zero-snr improved heads edm; do
  run 0 'Imported' "$program" import "$moved/$name" --output "$moved/back-$name"
  run 0 'Wrote' "$program" export --checkpoint "$moved/back-$name" "$moved/again-$name"
  pairs+=("$moved/$name" "$moved/again-$name")
  check "$name comes back bit by bit" h5diff "$moved/run-$name/checkpoints/step-00000012.h5" \
    "$moved/back-$name/checkpoints/step-00000000.h5" /ema
done
check "... and leaves as it went" $models same "${pairs[@]}"

# Training goes on.
run 0 'Imported' "$program" import "$made/cifar" "${tiny[@]:0:2}" --set training.steps=2 --set training.batch=4 \
  --set training.micro_batch=2 --set sampling.count=1 --set sampling.steps=2 --output "$moved/tuned"
run 0 'Done: 2 steps' "$mpirun" 2 "$program" train --resume --output "$moved/tuned"
check "... and changes the weights" sh -c "! h5diff -q '$moved/tuned/checkpoints/step-00000000.h5' \
  '$moved/tuned/checkpoints/step-00000002.h5' /model"

# Refusals.
run 2 'plain is not empty; use --force' "$program" export --checkpoint "$moved/run-plain" "$moved/plain"
run 0 'Wrote .*: the weights of' "$program" export --checkpoint "$moved/run-plain" --weights model --force \
  "$moved/plain"
check "--force leaves nothing behind" test -z "$(find "$moved" -maxdepth 1 -name '.plain*')"
run 2 'does not contain a pipeline' "$program" export --checkpoint "$moved/run-plain" --force \
  "$moved/run-data"
run 2 'is a pickle' "$program" import "$made/pickle" --output "$moved/pickle.h5"
# The command in the message.
conversion=$(grep -o "^python3 -c .*" "$log")
check "... which the command converts" bash -c "${conversion/python3/$python}"
run 0 'Imported' "$program" import "$made/pickle" --output "$moved/pickle.h5"
check "... into the same weights" h5diff "$moved/pickle.h5" "$moved/cifar.h5" /model
run 2 'already contains a run' "$program" import "$made/cifar" --output "$moved/run-plain"
run 2 'import works in one process' "$mpirun" 2 "$program" import "$made/cifar" --output "$moved/two.h5"
refuse_export() {
  run 0 'Done' "$program" train "${tiny[@]}" --set training.steps=1 "${@:2}" --output "$moved/refused"
  run 2 "$1" "$program" export --checkpoint "$moved/refused" "$moved/no"
  check "... and nothing is written" test ! -e "$moved/no"
  rm -r "$moved/refused"
}
refuse_export 'diffusion.process is ve-sde, which diffusers does not support' --set diffusion.process=ve-sde
refuse_export 'model.heads is 2' --set model.heads=2 --set model.attention_resolutions='[16, 32]'
refuse_export 'diffusion.prediction is score' --set diffusion.prediction=score

# The page itself. Its mpirun is the one with the options that this machine needs.
mkdir "$moved/page" "$moved/bin"
ln -s "$program" "$moved/bin/ddpm-mpi"
stand_in_for_mpirun "$moved/bin"
check "every block of docs/interchange.md runs" env -C "$moved/page" PATH="$moved/bin:$PATH" "$python" \
  "$PWD/Tests/Documentation/run_document.py" "$PWD/docs/interchange.md"
