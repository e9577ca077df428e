# The data and the models of docs/fields.md. Scripts that make its pictures and figures source this, in the repository's
# root; what is there already is kept, so that they can share it and go on where they were.
#
#   OUTPUT=runs/fields-page            where data and runs are kept
#   FIELDS=2048  TEST_FIELDS=256       of turbulence; multiples of 4
#   STEPS=2000                         training steps of each model of turbulence
#   RANKS=2                            by default one per core, at most 8
#   PYTHON=/path/to/python             one that has numpy and h5py
#   PROGRAM=/path/to/ddpm-mpi

program=${PROGRAM:-$PWD/.build/release/ddpm-mpi}
python=${PYTHON:-$(scripts/shared/find-python.sh numpy h5py)}
cores=$(scripts/shared/count-cores.sh)
ranks=${RANKS:-$((cores < 8 ? cores : 8))}
output=${OUTPUT:-runs/fields-page}
steps=${STEPS:-2000}

run() { scripts/mpirun.sh "$ranks" "$program" "$@"; }

# make_turbulence: writes the fields; turbulence.h5 with training and test fields and their block means; vorticity.h5
# without these, for models without conditions; and test.h5, the test fields with their block means, as conditions.
make_turbulence() {
  local count=${FIELDS:-2048} test_count=${TEST_FIELDS:-256}
  mkdir -p "$output"
  [[ -e $output/turbulence.nc ]] ||
    "$python" scripts/data/turbulence.py --output "$output/turbulence.nc" --count "$count" --runs $((count / 4))
  [[ -e $output/turbulence-test.nc ]] ||
    "$python" scripts/data/turbulence.py --output "$output/turbulence-test.nc" --count "$test_count" \
      --runs $((test_count / 4)) --seed 1
  local sources=("$output/turbulence.nc" --test "$output/turbulence-test.nc")
  [[ -e $output/turbulence.h5 ]] || "$program" pack "${sources[@]}" --coarse 4 --output "$output/turbulence.h5"
  [[ -e $output/vorticity.h5 ]] || "$program" pack "${sources[@]}" --output "$output/vorticity.h5"
  [[ -e $output/test.h5 ]] ||
    "$program" pack "$output/turbulence-test.nc" --coarse 4 --output "$output/test.h5"
}

# train_model NAME ARGUMENT...: trains a model in the folder NAME with these arguments, or continues its training.
train_model() {
  local folder=$output/$1
  shift
  if [[ -e $folder/config.yaml ]]; then
    run train --resume --output "$folder"
  else
    run train --preset fields --output "$folder" "$@"
  fi
}

# train_turbulence NAME ARGUMENT...: the same for 64x64 points of turbulence: with attention at the lowest level, and
# half as many fields in a batch as in the preset's, each of four times as many points.
train_turbulence() {
  local name=$1
  shift
  train_model "$name" --set data.name=hdf5 --set 'model.attention_resolutions=[16]' --set training.batch=16 \
    --set training.steps="$steps" "$@"
}

# What a model of fine fields given coarse ones is trained on, and what one without conditions.
given_coarse=(--set data.path="$output/turbulence.h5" --set 'data.conditions=[vorticity_coarse]')
unconditional=(--set data.path="$output/vorticity.h5")

# What makes a regression of a model. The process hides the field in noise that is a million times as large, at all times
# of training, so that the network sees nothing of it: what the squared error teaches it is the mean of the fields that
# belong to what is given. One step of the sampler returns this mean.
regression=(--set diffusion.sigma_min=1000000 --set diffusion.sigma_max=2000000 --set diffusion.loss=simple
  --set sampling.steps=1)
