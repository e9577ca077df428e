#!/usr/bin/env bash
# Two minutes of scripts/fuzz.sh, with the same inputs each time: a test must not fail while the code stays as it is.
set -euo pipefail
exec "$(dirname "$0")/fuzz.sh" "${FUZZ_SECONDS:-120}" --seed 1
