#!/usr/bin/env bash
# Prints how many physical cores this shell may use: two hardware threads of a core count once, processors outside the
# affinity mask do not count, and a container's limit on processor time holds.
set -euo pipefail

allowed=$(taskset --cpu-list --pid $$ | sed 's/.*: //')
cores=$(lscpu --parse=CORE,SOCKET,CPU | awk -F, -v allowed="$allowed" '
  BEGIN {
    parts = split(allowed, ranges, ",")
    for (i = 1; i <= parts; i++) {
      ends = split(ranges[i], bounds, "-")
      for (cpu = bounds[1]; cpu <= bounds[ends]; cpu++) usable[cpu + 0] = 1
    }
  }
  !/^#/ && ($3 + 0) in usable { seen[$1 "," $2] = 1 }
  END { count = 0; for (core in seen) count++; print count }')

# cgroup version 2: microseconds of processor time per period, or "max".
if read -r quota period 2>/dev/null </sys/fs/cgroup/cpu.max && [[ $quota != max ]]; then
  limit=$(((quota + period - 1) / period))
  if ((limit < cores)); then cores=$limit; fi
fi
echo "$((cores > 0 ? cores : 1))"
