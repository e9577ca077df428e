#!/usr/bin/env bash
# The scripts that the documentation tells readers to run, for a moment each: README's first command, from packages to a
# trained model, and those that made the tables and pictures of the pages. Those that need a PyTorch are run by
# scripts/test/peers.sh.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/shared/cases.sh

brief_program "$folder/ddpm-mpi" "$(command -v python3)"

# Twice: the same command resumes it. With the program that all tests have; scripts/build.sh would compile everything anew.
quickstart=(env BUILD=no scripts/quickstart.sh --output "$folder/quickstart" --set training.sample_every=2 --set sampling.steps=2)
run 0 "What it draws now:  $folder/quickstart/samples/step-00000002.png" "${quickstart[@]}" --set training.steps=2
check "... and it is there" test -s "$folder/quickstart/samples/step-00000002.png"
run 0 "Resuming from .*step-00000002.h5" "${quickstart[@]}" --set training.steps=4

arithmetic=(env STEPS=2 SEEDS="1 2" COUNT=16 SAMPLING_STEPS=1 OUTPUT="$folder/arithmetic")
run 0 '^\| root mean square difference from winograd \| \| [0-9.e-]+ \| [0-9.e-]+ \|$' "${arithmetic[@]}" \
  VARIANTS="winograd direct values" scripts/measure/arithmetic.sh
cp "$log" "$folder/first-table"
run 0 'Fréchet distance, seed' "${arithmetic[@]}" VARIANTS="winograd direct values" scripts/measure/arithmetic.sh
check "... and the same figures again" cmp "$log" "$folder/first-table"
run 2 'VARIANTS is .winograd.; it must be two or more of' env VARIANTS=winograd scripts/measure/arithmetic.sh
run 0 '^\| save \|( [0-9.]+ \|){3}$' env RANKS="1 2" ROUNDS=1 STEPS=1 SAMPLING_STEPS=1 FOLDER="$folder" \
  scripts/measure/ranks.sh
check "... on how many cores" grep -qE '; [0-9]+ cores; ' "$log"
run 2 'RANKS is .2 x.; it must be whole numbers' env RANKS="2 x" scripts/measure/ranks.sh
run 2 'BATCH is 2, which leaves some of 4 ranks without an image' env RANKS=4 BATCH=2 scripts/measure/ranks.sh
run 0 'Build the program again' env PROGRAM="$folder/ddpm-mpi" OUTPUT="$folder/features.safetensors" \
  scripts/build/embedded-classifier.sh
run 0 'FID\[fashion-mnist-classifier\]' "$program" evaluate --checkpoint "$folder/quickstart" --count 10 --steps 2 \
  --reference-count 64 --features "$folder/features.safetensors"

tables=(env OUTPUT="$folder/tables" STEPS=2 IMAGES=16 REFERENCE_IMAGES=64 SAMPLING_STEPS=2 LIKELIHOOD_IMAGES=1
  EVALUATIONS=4)
run 0 '^\| ε, L_simple \| [0-9.]+ ± [0-9.]+ \| [0-9.]+ ± [0-9.]+ \|$' "${tables[@]}" TABLES=objectives SEEDS="1 2" \
  scripts/document/tables.sh
run 0 '^\| sub-VP \| [0-9.]+ \| [0-9.]+ \|$' "${tables[@]}" TABLES="processes samplers" SEEDS=1 \
  scripts/document/tables.sh
check "... and how samplers compare" grep -qE '^\| ode-heun \| [0-9.]+ \|$' "$log"
run 1 'there is no table sizes; they are objectives' "${tables[@]}" TABLES=sizes scripts/document/tables.sh

run 0 '^\| `ode-rk45` \| [0-9]+, [0-9]+, [0-9]+, [0-9]+ \|$' env PROGRAM="$folder/ddpm-mpi" RANKS=1 SAMPLERS="ddim ode-rk45" \
  MODEL="$folder/theory" CLASSIFIER="$folder/theory-classifier" FOLDER="$folder/pictures" scripts/document/theory-page.sh
for picture in ddim ode-rk45 classifier-free-guidance classifier-guidance interpolation reconstruction; do
  check "... and the picture $picture" test -s "$folder/pictures/$picture.png" -a -s "docs/theory/$picture.png"
done

run 0 '^\| `pigdm` \| [0-9]+ evaluations' env PROGRAM="$folder/ddpm-mpi" RANKS=1 IMAGES=3 METHODS="repaint pigdm" \
  MODEL="$folder/quickstart" COLOURS="$folder/shapes" FOLDER="$folder/restored" scripts/document/restorations.sh
for picture in repaint pigdm colours; do
  check "... and the picture $picture" test -s "$folder/restored/$picture.png"
done

fields=(env PROGRAM="$folder/ddpm-mpi" OUTPUT="$folder/fields" FIELDS=16 TEST_FIELDS=16 STEPS=2 RANKS=1 MEMBERS=2)
run 0 '[0-9]+ downscaling.png' env FOLDER="$folder/pictures" RESTORED="$folder/restored" "${fields[@]}" \
  scripts/document/fields.sh
for picture in pictures/downscaling pictures/unconditional restored/points restored/coarse; do
  check "... and the picture $picture" test -s "$folder/$picture.png"
done
check "... and the spectra" grep -q '>regression by the same network<' "$folder/pictures/spectra.svg"
run 0 '^\| regression by the same network \| 1 \| [0-9.]+ \| [0-9.]+ \|  \|$' "${fields[@]}" CASES=2 GAUSSIAN_STEPS=2 \
  GAUSSIAN_COUNT=4 scripts/measure/fields.sh
check "... and an ensemble" grep -qE '^\| ensemble of the diffusion model \| 2( \| [0-9.]+){3} \|$' "$log"
check "... which the program measures too" grep -qE '^ +CRPS +[0-9.e+-]+, fair ' "$log"
check "... and the exact spectrum" grep -qE '^\| 16 \| 0.043459 \| [0-9.e+-]+( \| [+-][0-9.]+%){2} \| [0-9.]+% \|$' "$log"
run 0 '^\| fields of 4 channels, model.periodic=both \| [0-9.e+]+ \| images of 3 channels \| [0-9.e+]+ \| [0-9.]+ \| ≥ 1 ' \
  "${fields[@]}" SPEED_SIZE=16 SPEED_ROUNDS=1 SPEED_STEPS=1 scripts/measure/fields.sh speed
run 2 'There is nothing called size to measure' "${fields[@]}" scripts/measure/fields.sh size

source scripts/shared/hosts.sh
missing=$(hosts_missing)
if [[ -z $missing ]]; then
  run 0 'overlap hides' env HOSTS=2 ROUNDS=1 STEPS=1 PRESET=quickstart IMAGES=2 PYTHON=python3 scripts/measure/scaling.sh
  run 0 '"ranks":4' scripts/measure/on-hosts.sh --hosts 2 --ranks-per-host 2 --rate 1gbit "$program" benchmark --preset quickstart \
    --batch 8 --micro-batch 2 --steps 1 --json
else
  echo "not run, since $missing: scripts/measure/scaling.sh and on-hosts.sh"
fi
finish
