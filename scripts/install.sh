#!/usr/bin/env bash
# Builds the program and installs it with its man pages and completions for bash, zsh and fish.
#
#   scripts/install.sh [PREFIX]      /usr/local by default; $HOME/.local needs no root's rights
#   DESTDIR=                         put in front of PREFIX, for makers of packages
#   BUILD=yes                        no takes the program as scripts/build.sh has left it
set -euo pipefail
cd "$(dirname "$0")/.."

if (($# > 1)) || [[ ${1:-} == -* ]]; then
  sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0"
  exit 2
fi
prefix=${1:-/usr/local}
target=${DESTDIR:-}$prefix
if ! mkdir -p "$target" || [[ ! -w $target ]]; then
  echo "Cannot write to $target; give another folder, such as scripts/install.sh \$HOME/.local, or run this as root." >&2
  exit 1
fi
[[ ${BUILD:-yes} == no ]] || scripts/build.sh
program=.build/release/ddpm-mpi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# The argument parser's own tool, which asks the program for all its options.
swift build -c release --product generate-manual
.build/release/generate-manual "$program" --multi-page --output-directory "$folder"

install -D -m 755 "$program" "$target/bin/ddpm-mpi"
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
echo "Installed $target/bin/ddpm-mpi, its man pages (man ddpm-mpi, man ddpm-mpi-train) and completions."
