#!/usr/bin/env bash
# Moves the names of functions and the debugging information of a program to a file beside it, which debuggers find:
# scripts/build/separate-debugging.sh .build/release/ddpm-mpi makes .build/release/ddpm-mpi.debug
set -euo pipefail

if (($# != 1)) || [[ ! -f $1 ]]; then
  echo "usage: scripts/build/separate-debugging.sh PROGRAM" >&2
  exit 2
fi
# binutils' objcopy, or the one that comes with Swift.
objcopy=
for name in objcopy llvm-objcopy; do [[ -n $objcopy ]] || ! command -v "$name" >/dev/null || objcopy=$name; done
if [[ -z $objcopy ]] && command -v swift >/dev/null; then
  beside=$(dirname "$(realpath "$(command -v swift)")")/llvm-objcopy
  [[ ! -x $beside ]] || objcopy=$beside
fi
if [[ -z $objcopy ]]; then
  echo "There is no objcopy (package binutils); the program keeps its debugging information." >&2
  exit 0
fi

program=$(realpath "$1")
stripped=$program.stripped
section=$program.section
trap 'rm -f "$stripped" "$section"' EXIT
# Once is enough. Without the section, some versions of objcopy fail, and some only say so.
"$objcopy" --dump-section .debug_info="$section" "$program" "$stripped" 2>/dev/null || true
if [[ ! -s $section ]]; then
  echo "$1 has no debugging information." >&2
  exit 0
fi
"$objcopy" --only-keep-debug "$program" "$program.debug"
chmod a-x "$program.debug"
"$objcopy" --strip-all "$program" "$stripped"
# The link has the name of the file alone.
(cd "$(dirname "$program")" && "$objcopy" --add-gnu-debuglink="$(basename "$program").debug" "$stripped")
mv -f "$stripped" "$program"
