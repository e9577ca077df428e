# shellcheck shell=bash
# What the tests of jobs on a cluster share. scripts/test/cluster.sh sources it, and then the tests.

program=${PROGRAM:-$PWD/.build/release/ddpm-mpi}
# Not `mpirun`, which cluster/site.sh sets.
run_here=$PWD/scripts/mpirun.sh
folder=$(mktemp -d)
passed=0
failed=0
not_run=0
# Seconds after which what has not happened never will, however busy the machine is.
patience=900

# shellcheck source=scripts/shared/hosts.sh
source scripts/shared/hosts.sh

# What has to be undone when the tests end, however that is; the last first.
undoing=()
undo() { undoing=("$*" "${undoing[@]}"); }
clean_up() {
  local step
  for step in "${undoing[@]}"; do eval "$step" || true; done
  rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

config=(--preset shapes --set training.steps=60 --set training.batch=8 --set training.micro_batch=1
  --set training.checkpoint_every=20 --set training.sample_every=60 --set training.log_every=5
  --set sampling.count=2 --set sampling.steps=2 --set 'model.multipliers=[1, 1]')
last=checkpoints/step-00000060.h5
# The run that nothing happened to, with which others are compared.
reference=reference

report() { # NAME PROBLEM
  failed=$((failed + 1))
  echo "FAILED: $1: $2"
  tail -n 30 "$folder/$1.log" | sed 's/^/  | /'
}

pass() {
  passed=$((passed + 1))
  echo "ok: $1"
}

# start NAME RANKS [ARGUMENT]...: a job in the background, its process in $job.
start() {
  local name=$1 ranks=$2
  shift 2
  "$run_here" "$ranks" "$program" train "${config[@]}" --output "$folder/$name" "$@" >"$folder/$name.log" 2>&1 &
  job=$!
}

# reach NAME STEP: waits until the job has logged a step.
reach() {
  local deadline=$((SECONDS + patience))
  until grep -qs "^step $2/" "$folder/$1.log"; do
    if ! kill -0 "$job" 2>/dev/null || ((SECONDS > deadline)); then
      report "$1" "it did not get to step $2"
      return 1
    fi
    sleep 0.05
  done
}

# saves NAME: waits until the run has a checkpoint.
saves() {
  local deadline=$((SECONDS + patience))
  until compgen -G "$folder/$1/checkpoints/step-*.h5" >/dev/null; do
    if ((SECONDS > deadline)); then
      report "$1" "it has saved nothing"
      return 1
    fi
    sleep 0.05
  done
}

ranks_of() { pgrep -f "^$program train .*--output $folder/$1" || true; }

# kill_tree PROCESS: kills a process and its descendants.
kill_tree() {
  local child
  for child in $(pgrep -P "$1"); do kill_tree "$child"; done
  kill -9 "$1" 2>/dev/null || true
}

# ends NAME STATUS: the job ends, with this status (x: any but 0; 0|5: one of these), and leaves nothing running.
ends() {
  local name=$1 expected=$2 status=0 deadline=$((SECONDS + patience))
  while kill -0 "$job" 2>/dev/null; do
    if ((SECONDS > deadline)); then
      report "$name" "it did not end within $patience s"
      kill_tree "$job"
      wait "$job" || true
      return
    fi
    sleep 0.05
  done
  wait "$job" || status=$?
  if [[ $expected == x && $status != 0 ]]; then expected=$status; fi
  if [[ ! $status =~ ^($expected)$ ]]; then
    report "$name" "it ended with $status"
    return
  fi
  until [[ -z $(ranks_of "$name") ]] || ((SECONDS > deadline)); do sleep 0.05; done
  if [[ -n $(ranks_of "$name") ]]; then report "$name" "ranks are left running"; else pass "$name: ended with $status"; fi
}

# same NAME RANKS: resumed from a checkpoint, it ends as if nothing had happened.
same() {
  local name=$1
  if ! "$run_here" "$2" "$program" train "${config[@]}" --resume --output "$folder/$name" >"$folder/$name.log" 2>&1; then
    report "$name" "it could not be resumed"
  elif ! grep -q 'Resuming from ' "$folder/$name.log"; then
    report "$name" "it was begun anew"
  elif ! h5diff "$folder/$reference/$last" "$folder/$name/$last" >>"$folder/$name.log" 2>&1; then
    report "$name" "the resumed run ends with other bits"
  else
    pass "$name: resumed on $2 ranks, the same bits"
  fi
}

# unchanged NAME: it ended as if nothing had happened, without being resumed.
unchanged() {
  if h5diff "$folder/$reference/$last" "$folder/$1/$last" >>"$folder/$1.log" 2>&1; then
    pass "$1: the same bits"
  else
    report "$1" "it ends with other bits"
  fi
}

# says NAME TEXT: what the job said.
says() {
  if grep -qE -- "$2" "$folder/$1.log"; then pass "$1: says \"$2\""; else report "$1" "did not say $2"; fi
}

# in_order NAME: no rank had to end the others.
in_order() {
  if grep -qi MPI_ABORT "$folder/$1.log"; then report "$1" "the job was aborted"; else pass "$1: ended without MPI_Abort"; fi
}

tidy() { # NAME: no unfinished file is visible
  if compgen -G "$folder/$1/checkpoints/.*.partial" >/dev/null; then
    report "$1" "an unfinished checkpoint was left"
  else
    pass "$1: no unfinished file"
  fi
}

# without REASON NAME...: tests that cannot be run here. That is a failure for root, who can have all that they take.
without() {
  local reason=$1 name
  shift
  for name; do
    if ((EUID == 0)); then
      failed=$((failed + 1))
      echo "FAILED: $name: $reason"
    else
      not_run=$((not_run + 1))
      echo "NOT RUN: $name: $reason"
    fi
  done
}
