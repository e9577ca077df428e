# shellcheck shell=bash disable=SC2154 # common.sh sets the variables
# Jobs on one machine: signals, time limits, killed ranks, two jobs in one folder. scripts/test/cluster.sh sources it.

for signal in USR1 TERM INT; do
  for rank in 0 1 2; do
    name=$signal-to-rank-$rank
    start "$name" 3
    reach "$name" 10
    kill "-$signal" "$(ranks_of "$name" | sed -n "$((rank + 1))p")"
    ends "$name" 5
    says "$name" "stopped after step [0-9]+, because a rank received the signal $signal; everything is saved in .*step-"
    tidy "$name"
  done
done
same USR1-to-rank-1 2
same TERM-to-rank-2 1
same INT-to-rank-0 2

# The launcher of MPICH 4 sometimes ends with 0 after that. The batch scripts look for the last step.
expected=5
if [[ $(hosts_mpi) == mpich-4 ]]; then expected='0|5'; fi
start forwarded 2
reach forwarded 10
kill -USR1 "$job"
ends forwarded "$expected"
says forwarded 'stopped after step [0-9]+, because a rank received the signal USR1'
same forwarded 3

# As fast as they can be sent, so that some come during the save.
start repeated 2
reach repeated 10
for _ in $(seq 50); do ranks_of repeated | xargs -r kill -USR1 2>/dev/null || true; done
ends repeated 5
same repeated 2

start limited 2 --set training.steps=100000 --set training.time_limit_minutes=0.05
ends limited 5
says limited 'because training.time_limit_minutes is reached'
rm -rf "$folder/limited"

for rank in 1 2 3; do
  name=killed-rank-$((rank - 1))
  start "$name" 3
  saves "$name"
  kill -9 "$(ranks_of "$name" | sed -n "${rank}p")"
  ends "$name" x
done
same killed-rank-0 2
same killed-rank-2 1

start killed-mpirun 2
saves killed-mpirun
kill -9 "$job"
wait "$job" 2>/dev/null || true
deadline=$((SECONDS + patience))
while [[ -n $(ranks_of killed-mpirun) ]] && ((SECONDS < deadline)); do sleep 0.1; done
if [[ -n $(ranks_of killed-mpirun) || -e $folder/killed-mpirun/$last ]]; then
  report killed-mpirun "ranks survive"
else
  pass "killed-mpirun: no survivor"
fi
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
ends first 5

# Weights that overflow: every rank stops at the same step, and says so once.
start diverging 3 --set training.learning_rate=1.0e+30 --set training.warmup_steps=0
ends diverging 3
says diverging 'ddpm-mpi: training stopped at step [0-9]+: loss '
if (($(grep -c '^ddpm-mpi: training stopped' "$folder/diverging.log") != 1)); then
  report diverging "it should say so once"
fi

# refused NAME TEXT OUTPUT COMMAND...: before the first step, with status 2.
refused() {
  local name=$1 text=$2 output=$3 status=0
  shift 3
  "$@" "$run_here" 2 "$program" train "${config[@]}" --output "$output" >"$folder/$name.log" 2>&1 || status=$?
  if ((status == 2)) && grep -qE "$text" "$folder/$name.log" && ! grep -qE '^step |MPI_A(BORT|bort)' "$folder/$name.log"; then
    pass "$name: refused"
  else
    report "$name" "it ended with $status"
  fi
}

# Ranks that another MPI's mpirun has started: this one knows nothing of the others.
status=0
PMI_SIZE=2 PMI_RANK=0 "$program" train "${config[@]}" --output "$folder/stranger" >"$folder/stranger.log" 2>&1 ||
  status=$?
if ((status == 2)) && [[ ! -e $folder/stranger ]]; then
  pass "stranger: refused before anything was written"
else
  report stranger "it ended with $status"
fi
says stranger 'one of 2 ranks, but MPI reports a single rank'

touch "$folder/file"
refused output-below-a-file 'cannot create the folder .*/file: a file is in its place' "$folder/file/run" env
mkdir "$folder/read-only"
if ((EUID == 0)); then
  # Permissions do not keep root from anything, so the file system has to.
  # shellcheck disable=SC2016 # for the shell on the other side
  refused read-only-output 'read-only/run.*Read-only file system' "$folder/read-only/run" \
    unshare --mount bash -c 'mount -t tmpfs -o ro tmpfs "$0"; exec "$@"' "$folder/read-only"
else
  chmod a-w "$folder/read-only"
  refused read-only-output 'read-only/run.*Permission denied' "$folder/read-only/run" env
fi
