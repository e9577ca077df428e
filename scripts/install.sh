#!/usr/bin/env bash
# Builds the program and installs it with its man pages and completions for bash, zsh and fish.
#
#   scripts/install.sh [PREFIX]      /usr/local by default; $HOME/.local needs no root privileges
#   DDPM_MARCH=                      the processor to build for, as in scripts/build.sh. For several processors, such as
#                                    DDPM_MARCH="x86-64-v3 x86-64-v4", there is a build for each, in
#                                    PREFIX/libexec/ddpm-mpi, and bin/ddpm-mpi starts the best one for the machine
#   DESTDIR=                         put in front of PREFIX, for makers of packages
#   BUILD=yes                        no takes the program as scripts/build.sh has left it, or for several processors
#                                    those that this script has built before
#   BUILDS=.build/processors         where it keeps these, as PROCESSOR/ddpm-mpi
set -euo pipefail
cd "$(dirname "$0")/.."

if (($# > 1)) || [[ ${1:-} == -* ]]; then
  sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0"
  exit 2
fi
prefix=${1:-/usr/local}
target=${DESTDIR:-}$prefix
read -ra processors <<<"${DDPM_MARCH:-}"
builds=${BUILDS:-.build/processors}
for processor in "${processors[@]}"; do
  if ! [[ $processor =~ ^[A-Za-z0-9][A-Za-z0-9.+_-]{0,30}$ ]]; then
    echo "DDPM_MARCH has processors' names, separated by spaces, such as x86-64-v3; $processor is none." >&2
    exit 2
  fi
done
if ! mkdir -p "$target" || [[ ! -w $target ]]; then
  echo "Cannot write to $target; give another folder, such as scripts/install.sh \$HOME/.local, or run this as" \
    "root." >&2
  exit 1
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# compile_selector FILE: makes the program that starts the best build.
compile_selector() {
  local found compiler
  found=$(scripts/shared/find-compiler.sh)
  mapfile -t compiler <<<"$found"
  "${compiler[@]}" -O2 -ISources/CBuildTarget/include -ISources/CProcessor/include \
    Sources/CProcessor/{build_selector,build_note,processor}.c -o "$1"
}

# Of an earlier installation. A build that is left would be of another version, and might be chosen.
remove_old_builds() {
  local old
  for old in "$target"/libexec/ddpm-mpi/*/; do
    [[ ! -d $old ]] || rm -rf "$old"
  done
}

if ((${#processors[@]} > 1)); then
  # First, since it may fail in a moment, and a build takes minutes.
  compile_selector "$folder/ddpm-mpi"
  for processor in "${processors[@]}"; do
    if [[ ${BUILD:-yes} != no ]]; then
      DDPM_MARCH=$processor scripts/build.sh
      install -D -m 755 .build/release/ddpm-mpi "$builds/$processor/ddpm-mpi"
    elif [[ ! -x $builds/$processor/ddpm-mpi ]]; then
      echo "There is no build for $processor in $builds; run this without BUILD=no." >&2
      exit 1
    fi
  done
  # What is built below does not depend on the processor.
  unset DDPM_MARCH
  remove_old_builds
  for processor in "${processors[@]}"; do
    install -D -m 755 "$builds/$processor/ddpm-mpi" "$target/libexec/ddpm-mpi/$processor/ddpm-mpi"
  done
  install -D -m 755 "$folder/ddpm-mpi" "$target/bin/ddpm-mpi"
  program=$target/bin/ddpm-mpi
  what="$target/bin/ddpm-mpi for ${processors[*]}"
else
  [[ ${BUILD:-yes} == no ]] || scripts/build.sh
  program=.build/release/ddpm-mpi
  install -D -m 755 "$program" "$target/bin/ddpm-mpi"
  remove_old_builds
  what=$target/bin/ddpm-mpi
fi

# A login node's processor may be older than those of the compute nodes.
if ! said=$("$program" --version 2>&1); then
  echo "Installed $what. It does not run here${said:+ ($said)}, so it could not be asked for its man pages and" \
    "completions."
  exit 0
fi

# The argument parser's own tool, which asks the program for all its options.
swift build -c release --product generate-manual
.build/release/generate-manual "$program" --multi-page --output-directory "$folder"

for page in "$folder"/*.1; do
  name=$(basename "$page" .1)
  install -D -m 644 "$page" "$target/share/man/man1/${name/./-}.1"
done
"$program" --generate-completion-script bash >"$folder/bash"
"$program" --generate-completion-script zsh >"$folder/zsh"
"$program" --generate-completion-script fish >"$folder/fish"
install -D -m 644 "$folder/bash" "$target/share/bash-completion/completions/ddpm-mpi"
install -D -m 644 "$folder/zsh" "$target/share/zsh/site-functions/_ddpm-mpi"
install -D -m 644 "$folder/fish" "$target/share/fish/vendor_completions.d/ddpm-mpi.fish"
echo "Installed $what, its man pages (man ddpm-mpi, man ddpm-mpi-train) and completions."
