#!/usr/bin/env bash
# What scripts/install.sh puts where, and that it is of use. Each case prints one line.
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
finish
