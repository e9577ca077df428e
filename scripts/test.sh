#!/usr/bin/env bash
# Runs every test: the formatter's check, the unit tests, the checks under MPI on several ranks and the tests of the
# whole program, three of these at a time. Names run these alone, after the build, which is brief when little has changed:
#   scripts/test.sh Kernels                  # Tests/KernelsTests; units: all targets in Tests but ProgramTests
#   scripts/test.sh Program/Resume           # of Tests/ProgramTests the suites whose names begin so
#   scripts/test.sh ranks/3                  # the checks under MPI on three ranks; ranks: on 1, 2, 3, 5 and 8
#   scripts/test.sh data peers/statistics    # scripts/test/data.sh, and scripts/test/peers.sh statistics
#   scripts/test.sh format
# Ends with what has failed and the line "N passed, M failed" over the stages.
set -euo pipefail
cd "$(dirname "$0")/.."

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

# Sets $processor to the seconds of processor time that this shell's children have taken.
take_processor_time() {
  local file=$logs/times-$BASHPID
  times >"$file"
  processor=$(awk 'NR == 2 { split($0, parts, /[ms ]+/)
    printf "%d", 60 * (parts[1] + parts[3]) + parts[2] + parts[4] }' "$file")
}

# stage NAME COMMAND...: runs the command, reports its time and counts it. Fails when the command does, and then keeps
# what went wrong for the end.
stage() {
  local name=$1 start=$SECONDS code=0 processor before output=$logs/output-$BASHPID
  shift
  take_processor_time
  before=$processor
  echo
  echo "=== $name"
  # A deadlock between ranks must not hold up the rest forever.
  timeout --foreground --kill-after=30 "${STAGE_SECONDS:-3600}" "$@" 2>&1 | tee "$output" || code=$?
  take_processor_time
  local took="$((SECONDS - start)) s, $((processor - before)) s of processor time"
  if ((code == 0)); then
    echo "passed $name" >>"$logs/results"
    echo "=== $name passed in $took"
  else
    {
      echo "failed $name"
      grep -E '^FAILED: |^✘ Test .* recorded an issue|error: ' "$output" | head -n 20 | sed 's/^/  /' || true
    } >>"$logs/results"
    echo "=== $name failed with exit code $code after $took"
  fi
  return "$code"
}

finish() {
  echo
  sed -n 's/^failed /failed: /p; /^  /p' "$logs/results"
  echo "$(grep -c '^passed' "$logs/results" || true) passed, $(grep -c '^failed' "$logs/results" || true) failed"
  if grep -q '^failed' "$logs/results"; then exit 1; fi
  exit 0
}

# Testable imports would need a second build with other flags, and the tests are to run the code that users run.
swift_tests=(swift test -c release --disable-testable-imports --disable-xctest --skip-build)
format=(swift format lint --strict --recursive --configuration .swift-format Package.swift Sources Tests)

# The names that can be given.
targets() { for folder in Tests/*Tests; do basename "$folder" Tests; done; }
scripts() { for script in scripts/test/*.sh; do basename "$script" .sh; done; }

# run NAME: the stage of that name, which must be one of those above.
run() {
  local name=${1%%/*} part=
  [[ $1 != */* ]] || part=${1#*/}
  case $name in
    format) stage format "${format[@]}" ;;
    ranks)
      local ranks
      for ranks in ${part:-1 2 3 5 8}; do
        stage "checks on $ranks ranks" scripts/mpirun.sh "$ranks" .build/release/rank-checks || true
      done
      ;;
    units) stage "unit tests" "${swift_tests[@]}" --no-parallel --skip '^ProgramTests\.' ;;
    # These run other programs, and see to it that there are only two of them at a time.
    Program) stage "$1" "${swift_tests[@]}" --filter "^ProgramTests\.$part" ;;
    [A-Z]*) stage "$1" "${swift_tests[@]}" --no-parallel --filter "^${name}Tests\.(.*/)?$part" ;;
    # shellcheck disable=SC2086 # no part is no argument
    *) stage "$1" "scripts/test/$name.sh" $part ;;
  esac
}

if (($# > 0)); then
  names=$(printf '%s\n' format units ranks && targets && scripts)
  for name in "$@"; do
    if [[ $'\n'$names$'\n' != *$'\n'${name%%/*}$'\n'* ]]; then
      echo "There is no test $name; the tests are ${names//$'\n'/ }." >&2
      exit 2
    fi
  done
  [[ $* == format ]] || stage "build" swift build -c release --build-tests || finish
  for name in "$@"; do run "$name" || true; done
  finish
fi

stage "dependencies" scripts/install-dependencies.sh hdf5-tools procps python3-h5py python3-pil || finish
# Minutes of downloads, meanwhile. If it fails, scripts/test/peers.sh tries again, and says why.
peers=
if [[ -z ${PEERS_PYTHON:-} ]]; then
  scripts/shared/install-peers.sh >/dev/null 2>&1 &
  peers=$!
fi
run format || true
# Three tests share the processors from here on. Two lanes take them from the beginning of a list, where they keep the
# processors busy, and one from its end, where they wait for SLURM, browsers and other programs half of the time.
export SHARED=yes
waiting=(locks report scripts peers cluster)
{
  printf '%s\n' units ranks Program
  # These take a quarter of an hour or more, and run by their names only.
  scripts | grep -vxE "soak|fresh-root|image|$(IFS='|' && echo "${waiting[*]}")"
  printf '%s\n' "${waiting[@]}"
} >"$logs/queue"

# take LINE: prints the first (1) or the last ($) name on the list, and takes it off.
take() {
  {
    flock 9
    sed -n "$1p" "$logs/queue"
    sed -i "$1d" "$logs/queue"
  } 9>"$logs/lock"
}
wait_for_build() { until [[ -e $logs/built ]]; do sleep 1; done; }
lane() {
  local name
  while name=$(take "$1") && [[ -n $name ]]; do
    run "$name" || true
    wait_for_build
  done
}
# The last on the list needs the program alone, which is there before the tests are compiled.
early_lane() {
  until [[ -e $logs/built ]] || .build/release/ddpm-mpi --version >/dev/null 2>&1; do sleep 1; done
  lane '$'
}

rm -f .build/release/ddpm-mpi
early_lane >"$logs/beside" 2>&1 &
stage "build" swift build -c release --build-tests || : >"$logs/queue"
[[ -z $peers ]] || wait "$peers" || true
touch "$logs/built"
lane 1 >"$logs/between" 2>&1 &
lane 1 &
wait
cat "$logs/between" "$logs/beside"
finish
