#!/usr/bin/env bash
# Agreement with other programs: the real libraries on the other side. scripts/shared/install-peers.sh installs them once, unless
# PEERS_PYTHON names a Python that has them.
#
#   scripts/test/peers.sh [NAME]...      scripts/test/peers/NAME.sh; without a name, all of them
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/shared/cases.sh

python=${PEERS_PYTHON:-$PWD/.build/peers/bin/python}
[[ -n ${PEERS_PYTHON:-} ]] || scripts/shared/install-peers.sh
# No library may look for anything elsewhere.
export HF_HUB_OFFLINE=1 CUDA_VISIBLE_DEVICES=

if (($# == 0)); then
  for file in scripts/test/peers/*.sh; do set -- "$@" "$(basename "$file" .sh)"; done
fi
for name in "$@"; do
  echo "--- $name"
  source "scripts/test/peers/$name.sh"
done
finish
