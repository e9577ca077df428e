#!/usr/bin/env bash
# Runs in folders whose file system has no locks, as Lustre mounted with `noflock`: a job keeps other jobs out of its
# folder all the same, and what a killed job has left behind stops nobody. Each case prints one line.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/shared/cases.sh

library=$folder/no-locks.so
found=$(scripts/shared/find-compiler.sh)
mapfile -t compiler <<<"$found"
"${compiler[@]}" -O2 -Wall -Werror -shared -fPIC -o "$library" scripts/shared/no-locks.c
check "the system's own locks are gone" env LD_PRELOAD="$library" sh -c '! flock --nonblock "$0" true' "$folder"

config=(--preset shapes --set training.batch=4 --set training.micro_batch=2 --set training.checkpoint_every=5
  --set training.sample_every=none --set training.log_every=5 --set 'model.multipliers=[1, 1]')
train=(train "${config[@]}" --set training.steps=10)
# Within mpirun, which loads a library of its own.
unlocked=(env LD_PRELOAD="$library" "$program")
last=checkpoints/step-00000010.h5

run 0 'Done: 10 steps' "$mpirun" 2 "$program" "${train[@]}" --output "$folder/reference"
# ENOLCK, ENOSYS, EOPNOTSUPP, and the kernel's ENOTSUPP
for error in 37 38 95 524; do
  export NO_LOCKS=$error
  output=$folder/error-$error
  run 0 "The file system of $output/.lock has no locks; the file $output/.lock.held keeps other jobs out instead" \
    "$mpirun" 2 "${unlocked[@]}" "${train[@]}" --output "$output"
  check "... and the same bits" h5diff "$folder/reference/$last" "$output/$last"
  check "... and nothing is left" test ! -e "$output/.lock.held"
  run 0 'step 10' "${unlocked[@]}" inspect "$output/$last"
  run 0 "Wrote $output.h5" "${unlocked[@]}" sample --checkpoint "$output" --count 2 --steps 2 --output "$output.h5"
done
export NO_LOCKS=38
# By ROMIO, the MPI-IO of MPICH, which Open MPI has too. It must not ask for locks of its own.
run 0 'Done: 10 steps' env OMPI_MCA_io=^ompio "${unlocked[@]}" "${train[@]}" --output "$folder/romio"
check "... and the same bits" h5diff "$folder/reference/$last" "$folder/romio/$last"

# start NAME: a job that runs until it is killed, its process in $job.
start() {
  "${unlocked[@]}" train "${config[@]}" --set training.steps=1000000 --output "$folder/$1" >"$folder/$1.log" 2>&1 &
  job=$!
  until compgen -G "$folder/$1/checkpoints/step-*.h5" >/dev/null || ! kill -0 "$job" 2>/dev/null; do sleep 0.1; done
}
end() {
  kill -9 "$job"
  wait "$job" 2>/dev/null || true
}
resume=("${unlocked[@]}" train "${config[@]}" --set training.steps=1000000 --set training.time_limit_minutes=0.05
  --resume)

start here
run 2 "here cannot be trained in: $folder/here/.lock.held is locked by process $job on .*; wait for that job" \
  "${resume[@]}" --output "$folder/here"
end
check "a killed job leaves its lock" test -s "$folder/here/.lock.held"
run 5 "process $job on .* held $folder/here/.lock.held and is gone; taking the lock over" "${resume[@]}" \
  --output "$folder/here"
check "... and the next leaves none" test ! -e "$folder/here/.lock.held"

# Another machine knows nothing of the job's process. So does a process that sees none of this machine's.
if ((EUID == 0)) && unshare --pid --fork --mount-proc true 2>/dev/null; then
  elsewhere=(unshare --pid --fork --mount-proc "${resume[@]}")
  start there
  run 2 "there cannot be trained in: $folder/there/.lock.held is locked by process $job on " "${elsewhere[@]}" \
    --output "$folder/there"
  check "... after a wait" grep -q 'Waiting 60.0 seconds at most to see whether it still runs' "$log"
  end
  run 5 'It has shown no sign of life; taking the lock over' "${elsewhere[@]}" --output "$folder/there"

  # A job that was suspended for so long ends when it finds itself replaced.
  start suspended
  kill -STOP "$job"
  run 5 'It has shown no sign of life; taking the lock over' "${elsewhere[@]}" --output "$folder/suspended"
  kill -CONT "$job"
  for _ in $(seq 600); do if kill -0 "$job" 2>/dev/null; then sleep 0.1; fi; done
  kill -9 "$job" 2>/dev/null || true
  status=0
  wait "$job" 2>/dev/null || status=$?
  check "a job that was replaced ends with status 2" test "$status" = 2
  check "... and says why" grep -q 'has been removed, .*; two jobs must not train in one folder, so this one ends' \
    "$folder/suspended.log"
else
  echo "not run, since it takes root privileges and unshare: jobs on another machine"
fi
finish
