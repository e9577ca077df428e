#!/usr/bin/env bash
# Installs the Python libraries that tests compare with (Tests/Peers/requirements.txt) in .build/peers, unless they are
# there. Waits for another call of it that is under way.
set -euo pipefail
cd "$(dirname "$0")/../.."

requirements=Tests/Peers/requirements.txt
mkdir -p .build
exec 9>.build/peers.lock
flock 9
if ! cmp -s "$requirements" .build/peers/requirements.txt; then
  echo "Installing what $requirements names in .build/peers"
  rm -rf .build/peers
  python3 -m venv .build/peers
  .build/peers/bin/pip install --quiet --requirement "$requirements"
  cp "$requirements" .build/peers/requirements.txt
fi
