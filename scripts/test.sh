#!/usr/bin/env bash
# Runs every test: the formatter's check, the unit tests, the checks under MPI on several ranks and the tests of the
# whole program. Ends with the line "N passed, M failed" over the stages.
set -euo pipefail
cd "$(dirname "$0")/.."

passed=0
failed=0
failures=()

# stage NAME COMMAND...: runs the command, reports its time and counts it. Fails when the command does.
stage() {
  local name=$1 start=$SECONDS
  shift
  echo
  echo "=== $name"
  # A deadlock between ranks must not hold up the rest for ever.
  if timeout --foreground --kill-after=30 "${STAGE_SECONDS:-3600}" "$@"; then
    passed=$((passed + 1))
    echo "=== $name passed in $((SECONDS - start)) s"
  else
    local code=$?
    failed=$((failed + 1))
    failures+=("$name")
    echo "=== $name failed with exit code $code after $((SECONDS - start)) s"
    return 1
  fi
}

finish() {
  echo
  for name in "${failures[@]}"; do echo "failed: $name"; done
  echo "$passed passed, $failed failed"
  ((failed == 0)) || exit 1
  exit 0
}

stage "dependencies" scripts/install-dependencies.sh hdf5-tools python3-h5py python3-pil || finish
# Minutes of downloads, meanwhile. If it fails, scripts/test-peers.sh tries again, and says why.
[[ -n ${PEERS_PYTHON:-} ]] || scripts/install-peers.sh >/dev/null 2>&1 &
stage "format" swift format lint --strict --recursive --configuration .swift-format Package.swift Sources Tests || true
stage "build" swift build -c release --build-tests || finish
# Testable imports would need a second build with other flags, and the tests are to run the code that users run.
stage "unit tests" swift test -c release --no-parallel --disable-testable-imports || true
for ranks in 1 2 3 5 8; do
  STAGE_SECONDS=600 stage "checks on $ranks ranks" scripts/mpirun.sh "$ranks" .build/release/rank-checks || true
done
for script in scripts/test-*.sh; do
  [[ -e $script ]] || continue
  stage "$(basename "$script" .sh)" "$script" || true
done
finish
