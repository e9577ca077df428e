#!/usr/bin/env bash
# What the program that scripts/build.sh makes needs of the machines that it runs on: the versions of the C library's
# functions, the shared libraries, the disk. Each case prints one line.
# Links the objects of the tests' build as scripts/build.sh does; a program as the argument is examined instead.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/shared/cases.sh

binary=$folder/ddpm-mpi
if (($# > 0)); then
  cp "$1" "$binary"
else
  printed=$(scripts/build/static-libraries.sh "$folder/static")
  mapfile -t options <<<"$printed"
  if [[ $printed == *--defsym=* ]]; then
    check "a program for old processors keeps OpenBLAS's routines for them" bash -c \
      "! DDPM_MARCH=x86-64 scripts/build/static-libraries.sh '$folder/old' | grep -e --defsym"
  fi
  # Swift's libraries and those of the folder instead of shared ones. Static libraries do not name those that they need.
  libraries=(FoundationEssentials _FoundationCShims _FoundationCollections swiftSynchronization swift_StringProcessing
    swift_RegexParser swift_Concurrency swift_Builtin_float)
  options=("${options[@]/#--disable-build-manifest-caching/}")
  check "the program is linked with static libraries" python3 scripts/build/relink.py ddpm-mpi "$binary" -- \
    -static-stdlib "-L$folder/static" "${libraries[@]/#/-l}" "${options[@]}"
fi
# Without readelf, which is not everywhere.
mkdir "$folder/tools"
ln -s /usr/bin/* "$folder/tools" 2>/dev/null || true
rm -f "$folder/tools/readelf"
check "the debugging information moves to a file beside" env PATH="$folder/tools:$(dirname "$(command -v swift)")" \
  scripts/build/separate-debugging.sh "$binary"
check "... which has it" bash -c "readelf -SW '$binary.debug' | grep -q ' \.debug_info '"
check "... and which debuggers find" bash -c "readelf -p .gnu_debuglink '$binary' | grep -q 'ddpm-mpi\.debug'"
run 0 'has no debugging information' scripts/build/separate-debugging.sh "$binary"
check "... again without effect" bash -c "readelf -SW '$binary.debug' | grep -q ' \.debug_info '"
check "... and the program has none" bash -c "! readelf -SW '$binary' | grep -qE ' \.(debug_info|symtab) '"
run 0 '^[0-9]+[.][0-9]+' "$binary" --version
run 0 '^HDF5 +[0-9.]+$' "$binary" doctor
# The command line is found even if a library has changed the environment, as hwloc 2.7 does.
cat >"$folder/environment.c" <<'C'
#include <stdlib.h>
__attribute__((constructor)) static void add(void) { setenv("ADDED_BY_A_LIBRARY", "1", 1); }
C
gcc -shared -fPIC "$folder/environment.c" -o "$folder/environment.so"
run 0 '^[0-9]+[.][0-9]+' env LD_PRELOAD="$folder/environment.so" "$binary" --version

# newest PREFIX: the newest version of a library's symbols that the program needs.
newest() { objdump -T "$binary" | grep -oE "\($1_[0-9.]+\)" | tr -d '()' | sort -Vu | tail -1; }
# is_at_most VERSION VERSION
is_at_most() { [[ $(printf '%s\n' "$1" "$2" | sort -V | tail -1) == "$2" ]]; }
glibc=$(ldd --version | sed -n '1s/.* //p')
if is_at_most "$glibc" 2.37; then
  check "it runs with glibc 2.34 (RHEL 9) and needs $(newest GLIBC)" is_at_most "$(newest GLIBC)" GLIBC_2.34
else
  echo "Built with glibc $glibc, whose headers choose newer functions; it needs $(newest GLIBC)."
fi
check "it runs with the libstdc++ of GCC 11 and needs $(newest GLIBCXX)" is_at_most "$(newest GLIBCXX)" GLIBCXX_3.4.29

libraries=$(readelf -d "$binary" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
echo "It needs ${libraries//$'\n'/ }"
check "it needs 10 shared libraries at most" test "$(wc -l <<<"$libraries")" -le 10
for name in z png jpeg yaml openblas; do
  [[ $# == 0 && ! -e $(echo "$folder"/static/lib$name*.a) ]] && continue
  check "lib$name is in it" bash -c "! grep -qE '^lib$name([0-9]|\.so)' <<<'$libraries'"
done
check "Swift's libraries are in it" bash -c "! grep -qE '^lib_?(swift|Foundation|dispatch)' <<<'$libraries'"
bytes=$(stat -c %s "$binary")
check "it has 30 MiB at most ($((bytes >> 10)) KiB)" test "$bytes" -le $((30 << 20))
check "no module needs all of Foundation" bash -c "! grep -rnE '^ *(@[a-z]+ )*import Foundation\$' --include='*.swift' Sources |
  grep -v '\.pb\.swift'"

start=$(date +%s%N)
for _ in {1..10}; do "$binary" --version >/dev/null; done
echo "It starts in $((($(date +%s%N) - start) / 10000000)) ms."
finish
