#!/usr/bin/env bash
# Runs an MPI program over several hosts that are made on this machine for it, as root:
#   scripts/measure/on-hosts.sh --hosts 4 [--rate 1gbit] [--ranks-per-host 1] PROGRAM [ARGUMENT]...
# --rate shapes what each host sends, as `tc` takes it; without it the hosts' network is as fast as memory. Options of
# Open MPI are taken from the environment (OMPI_MCA_…). scripts/shared/hosts.sh explains hosts. Exits with mpirun's
# status.
set -euo pipefail

# shellcheck source=scripts/shared/hosts.sh
source "$(dirname "${BASH_SOURCE[0]}")/../shared/hosts.sh"

usage() {
  echo "Usage: scripts/measure/on-hosts.sh --hosts COUNT [--rate RATE] [--ranks-per-host COUNT] PROGRAM [ARGUMENT]..." >&2
  exit 2
}

hosts='' rate='' ranks=1
while (($# > 0)); do
  case $1 in
    --hosts) hosts=${2:-} ;;
    --rate) rate=${2:-} ;;
    --ranks-per-host) ranks=${2:-} ;;
    -*) usage ;;
    *) break ;;
  esac
  shift 2 || usage
done
if (($# == 0)) || ! [[ $hosts =~ ^[1-9][0-9]*$ && $ranks =~ ^[1-9][0-9]*$ ]]; then usage; fi

trap hosts_down EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
hosts_up "$hosts" "$rate"

# In the background, so that signals are taken while it runs; a job may be asked to save and stop.
exec_on_hosts "$ranks" "$@" &
job=$!
signals=0
for signal in USR1 TERM INT; do
  # shellcheck disable=SC2064 # the signal is this one
  trap "signals=\$((signals + 1)); kill -$signal $job 2>/dev/null || true" "$signal"
done

# A signal ends the wait as well. If the job ended at the same time, the next wait does not know it any more: 127.
status=127 count=-1
while ((count != signals)); do
  count=$signals code=0
  wait "$job" || code=$?
  if ((code != 127)); then status=$code; fi
done
exit "$status"
