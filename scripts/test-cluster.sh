#!/usr/bin/env bash
# What happens to a job on a cluster: signals, time limits, killed ranks, two jobs in one folder. After each the run is
# resumed, on another number of ranks, and must end with the bits of a run that nothing happened to.
set -euo pipefail
cd "$(dirname "$0")/.."

program=$PWD/.build/release/ddpm-mpi
mpirun=$PWD/scripts/mpirun.sh
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
passed=0
failed=0

config=(--preset shapes --set training.steps=60 --set training.batch=8 --set training.micro_batch=1
  --set training.checkpoint_every=20 --set training.sample_every=60 --set training.log_every=5
  --set sampling.count=2 --set sampling.steps=2 --set 'model.multipliers=[1, 1]')
last=checkpoints/step-00000060.h5

report() { # NAME PROBLEM
  failed=$((failed + 1))
  echo "FAILED: $1: $2"
  sed 's/^/  | /' "$folder/$1.log"
}

pass() {
  passed=$((passed + 1))
  echo "ok: $1"
}

# start NAME RANKS [ARGUMENT]...: a job in the background, its process in $job.
start() {
  local name=$1 ranks=$2
  shift 2
  "$mpirun" "$ranks" "$program" train "${config[@]}" --output "$folder/$name" "$@" >"$folder/$name.log" 2>&1 &
  job=$!
}

# reach NAME STEP: waits until the job has logged a step.
reach() {
  local tries=0
  until grep -qs "^step $2/" "$folder/$1.log"; do
    kill -0 "$job" 2>/dev/null && ((++tries < 600)) || { report "$1" "it did not get to step $2"; return 1; }
    sleep 0.05
  done
}

ranks_of() { pgrep -f "^$program train .*--output $folder/$1" || true; }

# ends NAME STATUS SECONDS: the job ends in time and with this status (x: any but 0), and leaves nothing running.
ends() {
  local name=$1 expected=$2 status=0 deadline=$((SECONDS + $3))
  while kill -0 "$job" 2>/dev/null; do
    if ((SECONDS > deadline)); then
      report "$name" "it did not end within $3 s"
      pkill -9 -f "^$program train .*--output $folder/$name" || true
      wait "$job" || true
      return
    fi
    sleep 0.05
  done
  wait "$job" || status=$?
  if [[ $expected == x && $status != 0 ]]; then expected=$status; fi
  if [[ $status != "$expected" ]]; then
    report "$name" "it ended with $status"
    return
  fi
  sleep 0.2
  if [[ -n $(ranks_of "$name") ]]; then report "$name" "ranks are left running"; else pass "$name: ended with $status"; fi
}

# same NAME RANKS: resumed, it ends as if nothing had happened.
same() {
  local name=$1
  if ! "$mpirun" "$2" "$program" train "${config[@]}" --resume --output "$folder/$name" >"$folder/$name.log" 2>&1; then
    report "$name" "it could not be resumed"
  elif ! h5diff "$folder/reference/$last" "$folder/$name/$last" >>"$folder/$name.log" 2>&1; then
    report "$name" "the resumed run ends with other bits"
  else
    pass "$name: resumed on $2 ranks, the same bits"
  fi
}

# says NAME TEXT: what the job said.
says() {
  if grep -qE -- "$2" "$folder/$1.log"; then pass "$1: says \"$2\""; else report "$1" "did not say $2"; fi
}

tidy() { # NAME: no unfinished file is visible
  if compgen -G "$folder/$1/checkpoints/.*.partial" >/dev/null; then
    report "$1" "an unfinished checkpoint was left"
  else
    pass "$1: no unfinished file"
  fi
}

start reference 2
ends reference 0 120

for signal in USR1 TERM; do
  for rank in 0 1 2; do
    name=$signal-to-rank-$rank
    start "$name" 3
    reach "$name" 10
    kill "-$signal" "$(ranks_of "$name" | sed -n "$((rank + 1))p")"
    ends "$name" 5 20
    says "$name" "stopped after step [0-9]+, since a rank was sent the signal $signal; everything is saved in .*step-"
    tidy "$name"
  done
done
same USR1-to-rank-1 2
same TERM-to-rank-2 1

start forwarded 2
reach forwarded 10
kill -USR1 "$job"
ends forwarded 5 20
same forwarded 3

# As fast as they can be sent, so that some come during the save.
start repeated 2
reach repeated 10
for _ in $(seq 50); do ranks_of repeated | xargs -r kill -USR1 2>/dev/null || true; done
ends repeated 5 20
same repeated 2

start limited 2 --set training.steps=100000 --set training.time_limit_minutes=0.05
ends limited 5 20
says limited 'since training.time_limit_minutes is over'
rm -rf "$folder/limited"

for rank in 1 2 3; do
  name=killed-rank-$((rank - 1))
  start "$name" 3
  reach "$name" 25
  kill -9 "$(ranks_of "$name" | sed -n "${rank}p")"
  ends "$name" x 5
done
same killed-rank-0 2
same killed-rank-2 1

start killed-mpirun 2
reach killed-mpirun 25
kill -9 "$job"
wait "$job" 2>/dev/null || true
tries=0
while [[ -n $(ranks_of killed-mpirun) ]] && ((++tries < 100)); do sleep 0.1; done
if [[ -n $(ranks_of killed-mpirun) ]]; then report killed-mpirun "ranks survive"; else pass "killed-mpirun: no survivor"; fi
same killed-mpirun 3

start first 2 --set training.steps=100000
reach first 10
status=0
"$program" train "${config[@]}" --resume --output "$folder/first" >"$folder/second.log" 2>&1 || status=$?
if ((status == 2)) && grep -q 'first cannot be trained in: .*/.lock is locked by process [0-9]* on ' "$folder/second.log"; then
  pass "a second job in the folder is refused"
else
  report second "it ended with $status"
fi
kill -USR1 "$job"
ends first 5 20

echo
echo "$passed passed, $failed failed"
((failed == 0))
