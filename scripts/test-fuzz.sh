#!/usr/bin/env bash
# Two minutes of scripts/fuzz.sh, with other inputs each day.
set -euo pipefail
exec "$(dirname "$0")/fuzz.sh" "${FUZZ_SECONDS:-120}" --seed "$(date +%Y%m%d)000000"
