# shellcheck shell=bash disable=SC2154 # common.sh sets the variables
# Failures inside a job: saves that are killed, fail, hang or find no room, checkpoints that are damaged, ranks that hang
# or compute nonsense. scripts/test/cluster.sh sources it. FaultPoint.swift tells what DDPM_MPI_FAULT does.

# Tensors that a save writes.
tensors=$("$program" inspect "$folder/reference/$last" | awk '/ tensors/ { for (i = 1; i < NF; i++) if ($(i + 1) ~ /^tensors/) n += $i } END { print n }')

python=$(scripts/shared/find-python.sh h5py)

# faulty NAME RANKS FAULT [ARGUMENT]...: a job in which one rank fails.
faulty() {
  local name=$1 ranks=$2
  export DDPM_MPI_FAULT=$3
  shift 3
  start "$name" "$ranks" "$@"
  unset DDPM_MPI_FAULT
}

phases=(reserve create header write mark close flush rename)

# second_save PHASE: sets $rank to a rank that takes part in the phase, and $pass to the pass at which it is in the second
# save.
second_save() {
  rank=1 pass=2
  case $1 in
    reserve | rename) rank=0 ;;
    write) pass=$((tensors + tensors / 2)) ;;
  esac
}

# A rank is killed at each phase of the second save: the first one's file is whole, and the run resumes from it.
for phase in "${phases[@]}"; do
  second_save "$phase"
  name=killed-at-$phase
  faulty "$name" 2 "save.$phase:$rank:kill:$pass"
  ends "$name" x
  if [[ -e $folder/$name/checkpoints/step-00000040.h5 ]]; then report "$name" "half a checkpoint has its name"; fi
  same "$name" 1
  says "$name" 'Resuming from .*/step-00000020.h5'
done

# Signals while a save is under way.
start during-a-save 2
until compgen -G "$folder/during-a-save/checkpoints/.*.partial" >/dev/null || ! kill -0 "$job" 2>/dev/null; do :; done
ranks_of during-a-save | head -1 | xargs -r kill -USR1
ends during-a-save 5
tidy during-a-save
same during-a-save 3

# A stopped rank is named, and the job ended in time. These limits, and that of the save below, are far longer than a rank
# takes to answer, or a save to end, on a busy machine.
for rank in 0 1 2; do
  name=stopped-rank-$rank
  start "$name" 3 --set training.hang_timeout_seconds=10
  saves "$name"
  kill -STOP "$(ranks_of "$name" | sed -n "$((rank + 1))p")"
  ends "$name" 6
  says "$name" "rank $rank on .* has not responded for 10 s"
done
same stopped-rank-1 2

# One that does not end a save keeps all others waiting in the same calls; the message says how far each had come.
faulty hanging-save 3 "save.write:1:hang:$((tensors + tensors / 2))" --set training.save_timeout_seconds=60
ends hanging-save 6
says hanging-save 'saving a checkpoint has taken more than 60 s, .*ranks? .*1.* on .* at part [0-9]+'
same hanging-save 2
says hanging-save 'Resuming from .*/step-00000020.h5'

# An error on one rank at each step of the second save. Where all ranks can still agree it is skipped; else all end.
for phase in "${phases[@]}"; do
  second_save "$phase"
  name=failing-at-$phase
  faulty "$name" 2 "save.$phase:$rank:error:$pass"
  case $phase in
    reserve | create | rename)
      ends "$name" 0
      says "$name" "checkpoint of step 40 is skipped: .*failed at save.$phase"
      tidy "$name"
      unchanged "$name"
      ;;
    *)
      ends "$name" 1
      says "$name" "ddpm-mpi: rank $rank: failed at save.$phase"
      same "$name" 1
      says "$name" 'Resuming from .*/step-00000020.h5'
      ;;
  esac
done

# copy NAME: a run that has saved steps 20 and 40 and the last, without the last.
start complete 1
ends complete 0
copy() {
  rm -rf "${folder:?}/$1"
  cp -r "$folder/complete" "$folder/$1"
  rm "$folder/$1/$last"
}
newest=checkpoints/step-00000040.h5

# And of a load: the rank is named, and the checkpoint before is taken.
for phase in open header read close; do
  name=failing-to-load-at-$phase
  copy "$name"
  export DDPM_MPI_FAULT=load.$phase:1:error
  same "$name" 2
  unset DDPM_MPI_FAULT
  says "$name" "step-00000040.h5: rank 1: failed at load.$phase.*; trying the previous one"
  says "$name" 'Resuming from .*/step-00000020.h5'
done

# flip FILE PLACE: changes a byte.
flip() {
  local byte
  byte=$(od -An -tu1 -j "$2" -N 1 "$1")
  # shellcheck disable=SC2059 # the format is the byte
  printf "\\x$(printf %x $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# skipped NAME TEXT: the newest checkpoint, which was damaged, is reported and the one before taken.
skipped() {
  same "$1" 1
  says "$1" "step-00000040.h5: $2.*; trying the previous one"
}

size=$(stat -c %s "$folder/complete/$newest")
copy flipped-superblock && flip "$folder/flipped-superblock/$newest" 9
skipped flipped-superblock 'it is damaged outside of its tensors'
copy flipped-seal && flip "$folder/flipped-seal/$newest" $((size - 20))
skipped flipped-seal '(it is damaged outside of its tensors|it has no seal)'
copy flipped-configuration
flip "$folder/flipped-configuration/$newest" \
  "$(grep -abo -m 1 'learning_rate' "$folder/complete/$newest" | head -1 | cut -d: -f1)"
skipped flipped-configuration 'it is damaged outside of its tensors'
copy flipped-tensor
flip "$folder/flipped-tensor/$newest" \
  "$(h5dump -p -H -d /model/conv_in.weight "$folder/complete/$newest" | sed -n 's/^ *OFFSET //p')"
skipped flipped-tensor 'tensor .* is damaged: its checksum does not match'

# Whole, but of another format: the version is changed, and the seal made anew as FileSeal.swift tells.
copy version
"$python" - "$folder/version/$newest" <<'PYTHON'
import h5py, struct, sys, zlib

path = sys.argv[1]
whole = open(path, "rb").read()
length = struct.unpack("<Q", whole[-20:-12])[0]
table = whole[length:-12]
with h5py.File(path, "r+") as file:
    file.attrs.modify("format_version", 3)
changed = open(path, "rb").read()[:length]
checksum = place = 0
for start, size in struct.iter_unpack("<QQ", table[:-16]):
    checksum = zlib.crc32(changed[place:start], checksum)
    place = start + size
checksum = zlib.crc32(changed[place:] + table, checksum)
open(path, "wb").write(changed + table + struct.pack("<I", checksum) + whole[-8:])
PYTHON
skipped version 'its format_version is 3, but this program reads version 2'

# Cut short anywhere, empty, or something else: skipped, and the next save takes its place.
short=(--set training.steps=22)
for place in $(seq 0 19) empty text; do
  name=cut-at-$place
  copy "$name"
  case $place in
    empty) : >"$folder/$name/$newest" ;;
    text) echo "This is no checkpoint." >"$folder/$name/$newest" ;;
    *) truncate -s $((size * place / 20 + place)) "$folder/$name/$newest" ;;
  esac
  # Of which one is the next save's.
  for step in 21 22; do echo "left over" >"$folder/$name/checkpoints/.step-000000$step.h5.partial"; done
  if "$program" train "${config[@]}" "${short[@]}" --resume --output "$folder/$name" >"$folder/$name.log" 2>&1 &&
    grep -qE 'step-00000040.h5: (it has no seal|it is empty|this is not an HDF5 file).*; trying the previous one' "$folder/$name.log" &&
    grep -q 'Resuming from .*/step-00000020.h5' "$folder/$name.log" &&
    ! compgen -G "$folder/$name/checkpoints/.*.partial" >/dev/null &&
    "$program" inspect "$folder/$name/checkpoints/step-00000022.h5" >>"$folder/$name.log" 2>&1; then
    pass "$name: skipped, and the next is saved"
  else
    report "$name" "the damaged checkpoint should have been skipped, and another one saved"
  fi
  rm -rf "${folder:?}/$name"
done

# No whole one: refused with a status of its own, and left as it is.
copy none-whole
truncate -s 1000 "$folder/none-whole/checkpoints/"*.h5
status=0
"$run_here" 2 "$program" train "${config[@]}" --resume --output "$folder/none-whole" >"$folder/none-whole.log" 2>&1 || status=$?
if ((status == 4)) && [[ $(stat -c %s "$folder/none-whole/$newest") == 1000 ]]; then
  pass "none-whole: refused with status 4"
else
  report none-whole "it ended with $status"
fi
says none-whole 'none of the 2 checkpoints in .* is intact'

# Fewer and fewer ranks.
for step in 8:15 4:30 2:45 1:60; do
  ranks=${step%:*}
  resume=(--resume)
  if ((ranks == 8)); then resume=(); fi
  start shrinking "$ranks" --set "training.steps=${step#*:}" "${resume[@]}"
  ends shrinking 0
done
unchanged shrinking

# A configuration that is not the run's, on all ranks or on one.
refused_resume() { # NAME RANKS TEXT [ARGUMENT]...
  local name=$1 ranks=$2 text=$3 status=0
  shift 3
  copy "$name"
  "$run_here" "$ranks" "$program" train "${config[@]}" --resume --output "$folder/$name" "$@" >"$folder/$name.log" 2>&1 ||
    status=$?
  if ((status == 2)) && grep -qE "$text" "$folder/$name.log" && ! grep -qi MPI_ABORT "$folder/$name.log"; then
    pass "$name: refused"
  else
    report "$name" "it ended with $status, without: $text"
  fi
}
refused_resume another-batch 2 'training.batch' --set training.batch=16
refused_resume another-shape 2 'model.channels' --set model.channels=64
refused_resume rank-of-its-own 1 'rank 1: seed is 7, but the run to resume was started with 0' \
  : -n 1 "$program" train "${config[@]}" --resume --output "$folder/rank-of-its-own" --set seed=7

# Another version of the program on one rank: the same file, but for what it says that it is.
version=$("$program" --version)
other=$folder/other-version
LC_ALL=C sed "s/${version//./\\.}/${version//[0-9]/9}/g" "$program" >"$other"
chmod +x "$other"
refused_resume rank-of-another-version 1 \
  "rank 1: its program version differs from that of rank 0 \\(rank 0: $version; rank 1: $("$other" --version)\\)" \
  : -n 1 "$other" train "${config[@]}" --resume --output "$folder/rank-of-another-version"

# Images from a file. There are more of them than the run needs, so each is read once, by one rank.
test_data() {
  local reference=undamaged-images name=damaged-image images=$folder/images/images.h5 image=9542 place
  local config=("${config[@]}" --set data.name=hdf5 --set "data.path=$images")
  mkdir "$folder/images"
  "$program" pack shapes --output "$images" >"$folder/$reference.log" 2>&1
  start "$reference" 1
  ends "$reference" 0

  # The image that rank 1 reads in step 31, after the first save.
  place=$(h5dump -p -H -d /images "$images" | sed -n 's/^ *OFFSET //p')
  place=$((place + image * 3072 + 1000))
  flip "$images" "$place"
  start "$name" 3
  ends "$name" 2
  says "$name" "ddpm-mpi: rank 1: $images: images\[$image\] is damaged: its checksum does not match"
  in_order "$name"
  flip "$images" "$place"
  same "$name" 2
  says "$name" 'Resuming from .*/step-00000020.h5'

  # A folder of its own for one rank, as on machines that share none.
  mkdir "$folder/other-images"
  config+=(--set data.path=images.h5)
  test_other_data missing-data 'images.h5: there is no such file'
  # The same images, but to be mirrored.
  "$program" pack shapes --flips --output "$folder/other-images/images.h5" >"$folder/other-data.log" 2>&1
  test_other_data other-data 'its data set differs from that of rank 0'
}

test_other_data() { # NAME TEXT
  local name=$1 here=$PWD
  cp -r "$folder/$reference" "$folder/$name"
  rm "$folder/$name/$last"
  cd "$folder/images" || return
  start "$name" 1 --resume \
    : -n 1 -wdir "$folder/other-images" "$program" train "${config[@]}" --output "$folder/$name" --resume
  cd "$here" || return
  ends "$name" 2
  says "$name" "ddpm-mpi: rank 1: $2"
  in_order "$name"
  if cmp "$folder/$reference/$newest" "$folder/$name/$newest" >>"$folder/$name.log" 2>&1; then
    pass "$name: what was saved is as it was"
  else
    report "$name" "the newest checkpoint has changed"
  fi
}
test_data

# Nonsense on one rank stops all, at one step.
for rank in 0 2; do
  name=not-a-number-on-rank-$rank
  faulty "$name" 3 "gradient:$rank:error:70"
  ends "$name" 3
  says "$name" 'ddpm-mpi: training stopped at step [0-9]+: .*nan.*; the last good checkpoint is '
  if (($(grep -c '^ddpm-mpi: training stopped' "$folder/$name.log") != 1)); then report "$name" "it should say so once"; fi
done
same not-a-number-on-rank-2 2

# A disk with room for one checkpoint: the others are skipped, the last one is missed, and nothing is lost.
test_full_disk() {
  local name=full-disk room
  mkdir "$folder/$name"
  room=$((size * 17 / 10))
  mount -t tmpfs -o "size=$room" tmpfs "$folder/$name" || return 1
  undo umount "$folder/$name"
  mount -o "remount,size=$((size / 2))" "$folder/$name" || return 1
  start "$name" 2
  ends "$name" 2
  says "$name" 'checkpoints could not be saved: .*there is no space for a checkpoint of .*No space left on device'
  mount -o "remount,size=$room" "$folder/$name" || return 1
  start "$name" 2
  ends "$name" 1
  says "$name" 'the checkpoint of step 40 is skipped: .*there is no space for a checkpoint of .*No space left on device'
  says "$name" 'the checkpoint of step 60 could not be saved: .*; the newest complete one is .*step-00000020.h5'
  tidy "$name"
  mount -o "remount,size=$((size * 10))" "$folder/$name"
  same "$name" 3
  says "$name" 'Resuming from .*/step-00000020.h5'
}
if ((EUID == 0)); then test_full_disk || report full-disk "no file system can be mounted"; else without "it needs root" full-disk; fi
