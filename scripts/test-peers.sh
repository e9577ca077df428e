#!/usr/bin/env bash
# Agreement with other programs: the real libraries on the other side (Tests/Peers/requirements.txt), which it installs
# once, in .build/peers, unless PEERS_PYTHON names a Python that has them.
#
#   scripts/test-peers.sh [NAME]...      scripts/peer-tests/NAME.sh; without a name, all of them
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/cases.sh

requirements=Tests/Peers/requirements.txt
python=${PEERS_PYTHON:-$PWD/.build/peers/bin/python}
if [[ -z ${PEERS_PYTHON:-} ]] && ! cmp -s "$requirements" .build/peers/requirements.txt; then
  echo "Installing what $requirements names in .build/peers"
  rm -rf .build/peers
  python3 -m venv .build/peers
  .build/peers/bin/pip install --quiet --requirement "$requirements"
  cp "$requirements" .build/peers/requirements.txt
fi
# No library may look for anything elsewhere.
export HF_HUB_OFFLINE=1 CUDA_VISIBLE_DEVICES=

if (($# == 0)); then
  for file in scripts/peer-tests/*.sh; do set -- "$@" "$(basename "$file" .sh)"; done
fi
for name in "$@"; do
  echo "--- $name"
  source "scripts/peer-tests/$name.sh"
done
finish
