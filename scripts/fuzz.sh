#!/usr/bin/env bash
# fuzz.sh SECONDS [FORMAT] [--seed NUMBER]: hands damaged and malicious inputs to every reader (Tests/Fuzz), after those
# that once failed (Tests/Fuzz/Regressions). Fails if one ends a process, takes 20 s of processor time or 1 GiB, or waits for ever.
set -euo pipefail
cd "$(dirname "$0")/.."
[[ $# -ge 1 ]] || {
  echo "usage: $0 SECONDS [FORMAT] [--seed NUMBER]" >&2
  exit 2
}
[[ -x .build/release/fuzz && -x .build/release/ddpm-mpi ]] || swift build -c release --build-tests
exec .build/release/fuzz "$@"
