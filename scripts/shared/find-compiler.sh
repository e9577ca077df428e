#!/usr/bin/env bash
# Prints the C compiler, a word a line, since CC may have options: CC, or what the shell finds, or the clang that comes
# with Swift.
#   found=$(scripts/shared/find-compiler.sh)
#   mapfile -t compiler <<<"$found"
set -euo pipefail

read -ra compiler <<<"${CC:-}"
if ((${#compiler[@]} > 0)); then
  if ! command -v "${compiler[0]}" >/dev/null; then
    echo "CC is $CC, and there is no ${compiler[0]} here." >&2
    exit 1
  fi
  printf '%s\n' "${compiler[@]}"
  exit 0
fi

names=(cc gcc clang)
if swift=$(command -v swift); then names+=("$(dirname "$(realpath "$swift")")/clang"); fi
for name in "${names[@]}"; do
  if command -v "$name" >/dev/null; then
    echo "$name"
    exit 0
  fi
done
echo "There is no C compiler here. Please install gcc, or name a compiler in CC." >&2
exit 1
