#!/usr/bin/env bash
# Hands damaged and malicious inputs to every reader (Tests/Fuzz), after those that once failed
# (Tests/Fuzz/Regressions). Fails if one ends a process, takes 20 s of processor time or 1 GiB, or waits forever.
#   scripts/test/fuzz.sh SECONDS [FORMAT] [--seed NUMBER]
# Without arguments it takes two minutes, with the same inputs each time: a test must not fail while the code stays as
# it is.
set -euo pipefail
cd "$(dirname "$0")/../.."
(($# > 0)) || set -- "${FUZZ_SECONDS:-120}" --seed 1
[[ -x .build/release/fuzz && -x .build/release/ddpm-mpi ]] || swift build -c release --build-tests
exec .build/release/fuzz "$@"
