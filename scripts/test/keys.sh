#!/usr/bin/env bash
# Each key of the configuration changes what it should, or is refused, and each option has a test.
set -euo pipefail
cd "$(dirname "$0")/../.."
scripts/install-dependencies.sh python3-h5py python3-pil
source scripts/shared/cases.sh

python=$(scripts/shared/find-python.sh h5py numpy PIL)
check "each key changes what it should" "$python" Tests/Keys/check_keys.py "$program" "$folder"
cat "$folder/check"
finish
