#!/usr/bin/env bash
# The fields of the documentation (scripts/data/turbulence.py): the solver, against exact solutions and what the equation
# conserves, and the file, as xarray and `pack` read it.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/shared/cases.sh

python=${PEERS_PYTHON:-$PWD/.build/peers/bin/python}
[[ -n ${PEERS_PYTHON:-} ]] || scripts/shared/install-peers.sh
solver=$PWD/scripts/data/turbulence.py

check "the solver is right" "$python" Tests/Documentation/check_turbulence.py solver
cat "$folder/check"

run 0 '^36 fields of 18 flows, 16x16, in ' "$python" "$solver" --output "$folder/flows.nc" --count 36 --runs 18 \
  --size 16
check "xarray reads the file" "$python" Tests/Documentation/check_turbulence.py file "$folder/flows.nc" 36 18 16
processor=$(taskset --cpu-list --pid $$ | sed 's/.*: //; s/[,-].*//')
run 0 '^36 fields of 18 flows' taskset --cpu-list "$processor" "$python" "$solver" --output "$folder/again.nc" \
  --count 36 --runs 18 --size 16
check "one process writes the same bytes" cmp "$folder/flows.nc" "$folder/again.nc"
run 0 '^2 fields of 1 flows' "$python" "$solver" --output "$folder/again.nc" --count 2 --runs 1 --size 16 --seed 1
check "another seed gives other flows" sh -c "! cmp -s '$folder/flows.nc' '$folder/again.nc'"
run 2 '--count is 10; it must be a multiple of --runs, 4' "$python" "$solver" --output "$folder/x.nc" --count 10 --runs 4
run 2 '--size is 15; it must be even and at least 16' "$python" "$solver" --output "$folder/x.nc" --size 15
check "... and nothing is written" test ! -e "$folder/x.nc"

run 0 'Packed 36 training and 2 test samples of 16x16, 2 channels \(vorticity, vorticity_coarse\)' "$program" pack \
  "$folder/flows.nc" --test "$folder/again.nc" --coarse 4 --output "$folder/flows.h5"
run 0 '^x from 0.0 to 5.8904.* m$' "$program" inspect "$folder/flows.h5"
check "... with its units" grep -qE '^vorticity +s-1 ' "$log"

finish
