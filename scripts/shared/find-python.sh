#!/usr/bin/env bash
# Prints the Python that has some modules: the first one, or the system's, which has those of Debian's packages, wherever
# another one comes first.
#   python=$(scripts/shared/find-python.sh h5py PIL)
set -euo pipefail
modules=$(IFS=,; echo "$*")
for python in python3 /usr/bin/python3; do
  if "$python" -c "import $modules" 2>/dev/null; then
    echo "$python"
    exit 0
  fi
done
echo "Neither python3 nor /usr/bin/python3 has $modules." >&2
exit 1
