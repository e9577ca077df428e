#!/usr/bin/env bash
# Runs every test: the formatter's check, the unit tests, the checks under MPI on several ranks and the tests of the
# whole program, two of these at a time. Names run these alone, after the build:
#   scripts/test.sh test-data test-outputs
# Ends with the line "N passed, M failed" over the stages.
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

# stage NAME COMMAND...: runs the command, reports its time and counts it. Fails when the command does.
stage() {
  local name=$1 start=$SECONDS code=0 processor before
  shift
  take_processor_time
  before=$processor
  echo
  echo "=== $name"
  # A deadlock between ranks must not hold up the rest for ever.
  timeout --foreground --kill-after=30 "${STAGE_SECONDS:-3600}" "$@" || code=$?
  take_processor_time
  local took="$((SECONDS - start)) s, $((processor - before)) s of processor time"
  if ((code == 0)); then
    echo "passed $name" >>"$logs/results"
    echo "=== $name passed in $took"
  else
    echo "failed $name" >>"$logs/results"
    echo "=== $name failed with exit code $code after $took"
  fi
  return "$code"
}

finish() {
  echo
  sed -n 's/^failed /failed: /p' "$logs/results"
  echo "$(grep -c '^passed' "$logs/results" || true) passed, $(grep -c '^failed' "$logs/results" || true) failed"
  if grep -q '^failed' "$logs/results"; then exit 1; fi
  exit 0
}

# What waits for SLURM, packages, browsers and full disks most of the time, longest first; the others keep the
# processors busy meanwhile.
beside=(test-cluster test-peers test-scripts test-report)

is_beside() { [[ " ${beside[*]} " == *" $1 "* ]]; }

scripts=()
for script in scripts/test-*.sh; do scripts+=("$(basename "$script" .sh)"); done
wanted=("$@")
for name in "${wanted[@]}"; do
  if [[ " ${scripts[*]} " != *" $name "* ]]; then
    echo "There is no test $name; the tests are ${scripts[*]}." >&2
    exit 2
  fi
done

if ((${#wanted[@]} > 0)); then
  stage "build" swift build -c release --build-tests || finish
  for name in "${wanted[@]}"; do stage "$name" "scripts/$name.sh" || true; done
  finish
fi

stage "dependencies" scripts/install-dependencies.sh hdf5-tools python3-h5py python3-pil || finish
# Minutes of downloads, meanwhile. If it fails, scripts/test-peers.sh tries again, and says why.
peers=
if [[ -z ${PEERS_PYTHON:-} ]]; then
  scripts/install-peers.sh >/dev/null 2>&1 &
  peers=$!
fi
stage "format" swift format lint --strict --recursive --configuration .swift-format Package.swift Sources Tests || true
stage "build" swift build -c release --build-tests || finish
[[ -z $peers ]] || wait "$peers" || true
# Two tests share the processors from here on.
export SHARED=yes
(for name in "${beside[@]}"; do stage "$name" "scripts/$name.sh" || true; done) >"$logs/beside" 2>&1 &
# Testable imports would need a second build with other flags, and the tests are to run the code that users run.
stage "unit tests" swift test -c release --no-parallel --disable-testable-imports || true
for ranks in 1 2 3 5 8; do
  STAGE_SECONDS=600 stage "checks on $ranks ranks" scripts/mpirun.sh "$ranks" .build/release/rank-checks || true
done
for name in "${scripts[@]}"; do
  is_beside "$name" || stage "$name" "scripts/$name.sh" || true
done
wait
cat "$logs/beside"
finish
