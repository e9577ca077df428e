#!/usr/bin/env bash
# What scripts/install.sh puts where, and that it is of use; which of several builds is started, and that ranks with
# different ones are refused. Each case prints one line.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/shared/cases.sh

run 0 'Installed .*/usr/bin/ddpm-mpi, its man pages' env DESTDIR="$folder/to" BUILD=no scripts/install.sh /usr
installed=$folder/to/usr
run 0 '^[0-9]+[.][0-9]+' "$installed/bin/ddpm-mpi" --version
"$program" --help | sed -n '/^SUBCOMMANDS/,$p' | grep -oE '^  [a-z-]+ ' | tr -d ' ' >"$folder/commands"
check "there are commands" test "$(wc -l <"$folder/commands")" -gt 15
while read -r command; do
  "$program" "$command" --help | sed -n '/^EXAMPLES/,/^USAGE/p' | grep -E '^[a-z-]' >"$log" || true
  check "examples of $command fit into 80 columns" test ! -s "$log"
  check "man page of $command" grep -q '^.Sh DESCRIPTION' "$installed/share/man/man1/ddpm-mpi-$command.1"
  check "bash completes $command" grep -qw -- "$command" "$installed/share/bash-completion/completions/ddpm-mpi"
  check "zsh completes $command" grep -qw -- "$command" "$installed/share/zsh/site-functions/_ddpm-mpi"
  check "fish completes $command" grep -qw -- "$command" "$installed/share/fish/vendor_completions.d/ddpm-mpi.fish"
done <"$folder/commands"
check "bash understands its completions" bash -n "$installed/share/bash-completion/completions/ddpm-mpi"
run 2 'PREFIX' scripts/install.sh --help
run 1 'Cannot write to /proc/none; give another folder' scripts/install.sh /proc/none

# Several builds in one prefix: this one, and stand-ins that need other features, of which "future" needs some that no
# processor has.
cat >"$folder/stand-in.c" <<'C'
#include <stdio.h>
#include "build_target.h"

#if defined(__aarch64__)
#define SOME DDPM_FEATURE_FP16
#else
#define SOME DDPM_FEATURE_SSE4_2
#endif
#define ALL 0x7fffffff

__attribute__((section(".note.ddpm-mpi"), aligned(4), used)) const struct ddpm_build_note ddpm_build = {
    sizeof DDPM_NOTE_NAME, sizeof(struct ddpm_build_note) - 24, DDPM_NOTE_TYPE, DDPM_NOTE_NAME, NEEDS, NAME,
};

int main(int count, char **arguments) {
  printf(NAME " of %d:", count);
  for (int i = 1; i < count; i++) printf(" [%s]", arguments[i]);
  puts("");
}
C
found=$(scripts/shared/find-compiler.sh)
mapfile -t compiler <<<"$found"
# stand_in NAME FEATURES FOLDER
stand_in() {
  mkdir -p "$3/$1"
  "${compiler[@]}" -ISources/CBuildTarget/include -DNAME="\"$1\"" -DNEEDS="$2" "$folder/stand-in.c" -o "$3/$1/ddpm-mpi"
}

own=$("$program" doctor | sed -n 's/^  built for *\([^ ,]*\).*/\1/p')
builds=$folder/builds
install -D -m 755 "$program" "$builds/$own/ddpm-mpi"
stand_in oldest 0 "$builds"
stand_in future ALL "$builds"
several=(env DESTDIR="$folder/several" BUILD=no BUILDS="$builds" scripts/install.sh /usr)
run 0 "Installed .*/usr/bin/ddpm-mpi for $own oldest future, its man pages" \
  env DDPM_MARCH="$own oldest future" "${several[@]}"
installed=$folder/several/usr
run 0 '^[0-9]+[.][0-9]+' "$installed/bin/ddpm-mpi" --version
run 0 "built for   $own" "$installed/bin/ddpm-mpi" doctor
check "doctor says what was chosen of what" \
  grep -qE "chosen of   .*future.*oldest.*, in $installed/libexec/ddpm-mpi" "$log"
check "completions come from the chosen build" \
  grep -qw train "$installed/share/bash-completion/completions/ddpm-mpi"
check "so do man pages" test -e "$installed/share/man/man1/ddpm-mpi-train.1"
run 0 "$own" env DDPM_BUILD="$own" "$installed/bin/ddpm-mpi" doctor
run 0 '^oldest of 3: \[a b\] \[\]$' env DDPM_BUILD=oldest "$installed/bin/ddpm-mpi" 'a b' ''
run 2 "no build for future that this processor can run.*$installed.*future \(needs .*oldest" \
  env DDPM_BUILD=future "$installed/bin/ddpm-mpi" doctor
run 2 'no build for none that' env DDPM_BUILD=none "$installed/bin/ddpm-mpi" doctor
run 2 "DDPM_BUILD asks for the build for other, and this program was built for $own" \
  env DDPM_BUILD=other "$program" --version
mkdir "$folder/elsewhere"
ln -s "$installed/bin/ddpm-mpi" "$folder/elsewhere/diffusion"
run 0 '^oldest of 1' env DDPM_BUILD=oldest "$folder/elsewhere/diffusion"

run 0 "for $own future" env DDPM_MARCH="$own future" "${several[@]}"
check "builds of an earlier installation are removed" test ! -e "$installed/libexec/ddpm-mpi/oldest"
rm -r "$installed/libexec/ddpm-mpi/$own"
run 2 'no build that this processor can run; in .*future \(needs' "$installed/bin/ddpm-mpi"
rm -r "$installed/libexec/ddpm-mpi/future"
run 2 'there is no build in .*/usr/libexec/ddpm-mpi' "$installed/bin/ddpm-mpi"
run 1 "There is no build for absent in $builds" env DDPM_MARCH="absent oldest" "${several[@]}"
stand_in later ALL "$builds"
run 0 'Installed .* for future later. It does not run here \(.*no build that this processor can run' \
  env DDPM_MARCH="future later" "${several[@]}"
check "... but elsewhere" test -x "$installed/libexec/ddpm-mpi/later/ddpm-mpi"
run 1 'CC is none' env CC=none DDPM_MARCH="oldest future" "${several[@]}"
run 2 'oldest is none' env DDPM_MARCH="../oldest oldest" "${several[@]}"

# The most features win, the first name among equals; other files are passed over.
libexec=$installed/libexec/ddpm-mpi
for name in oldest c b; do stand_in "$name" "$([[ $name == oldest ]] && echo 0 || echo SOME)" "$libexec"; done
stand_in d SOME "$libexec"
stand_in future ALL "$libexec"
mkdir -p "$libexec/empty" "$libexec/text"
echo '#!/bin/sh' >"$libexec/text/ddpm-mpi"
echo text >"$libexec/notes"
run 0 '^b of 1:' "$installed/bin/ddpm-mpi"

# The shortest of many times, in microseconds.
shortest() {
  local best=1000000 start took
  for _ in {1..100}; do
    start=${EPOCHREALTIME/[.,]/}
    "$1" >"$folder/output"
    took=$((${EPOCHREALTIME/[.,]/} - start))
    ((took >= best)) || best=$took
  done
  echo "$best"
}
cost=$(($(shortest "$installed/bin/ddpm-mpi") - $(shortest "$libexec/b/ddpm-mpi")))
check "choosing a build takes $cost us, less than 5 ms" test "$cost" -lt 5000

# Ranks with different builds: a copy of the program whose note has another name.
python3 - "$program" "$folder/other" "$own" <<'PYTHON'
import pathlib, struct, sys

program, copy, own = sys.argv[1:]
data = bytearray(pathlib.Path(program).read_bytes())
note = struct.pack("<III12s", 9, 36, 1, b"ddpm-mpi")
start = data.index(note) + len(note) + 4
assert data[start:start + len(own) + 1] == own.encode() + b"\0"
data[start:start + 32] = b"other".ljust(32, b"\0")
pathlib.Path(copy).write_bytes(data)
PYTHON
cat >"$folder/mixed" <<SH
#!/bin/sh
case \${OMPI_COMM_WORLD_RANK:-\${PMIX_RANK:-\${PMI_RANK:-0}}} in
  0) exec "$program" "\$@" ;;
  *) exec "$folder/other" "\$@" ;;
esac
SH
chmod +x "$folder/other" "$folder/mixed"
run 2 "rank 1: it runs the build for other \(.*\), and rank 0 that for $own \(.*\), so results would depend on who" \
  "$mpirun" 2 "$folder/mixed" inspect none.h5
check "... once" test "$(grep -c 'ddpm-mpi:' "$log")" = 1
run 0 'advice      rank 1: it runs the build for other' "$mpirun" 2 "$folder/mixed" doctor
finish
