# What the tests in bash share; they source it. Each case prints one line.

program=$PWD/.build/release/ddpm-mpi
mpirun=$PWD/scripts/mpirun.sh
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# Tests neither read nor write what the user keeps.
export DDPM_REFERENCE_CACHE=$folder/references
log=$folder/log
passed=0
failed=0

# run STATUS TEXT COMMAND...: the command must end with the status and say the text (an extended regular expression).
run() {
  local status=$1 text=$2 actual=0 start=$SECONDS
  shift 2
  timeout --kill-after=10 600 "$@" >"$log" 2>&1 </dev/null || actual=$?
  if ((actual != status)); then
    report "$text" "ended with $actual instead of $status: $*"
  elif ! grep -qE -- "$text" "$log"; then
    report "$text" "did not say so: $*"
  else
    passed=$((passed + 1))
    echo "ok: $text$(seconds_since "$start")"
  fi
}

# The time since a value of SECONDS, if it is worth knowing.
seconds_since() { if ((SECONDS - $1 >= 5)); then echo " ($((SECONDS - $1)) s)"; fi; }

report() {
  failed=$((failed + 1))
  echo "FAILED: $1"
  echo "  $2"
  sed 's/^/  | /' "${3:-$log}"
}

# check TEXT COMMAND...: the command must succeed. It may read the log of the last run.
check() {
  local text=$1 start=$SECONDS
  shift
  if "$@" >"$folder/check" 2>&1; then
    passed=$((passed + 1))
    echo "ok: $text$(seconds_since "$start")"
  else
    report "$text" "failed: $*" "$folder/check"
  fi
}

# refuse TEXT ARGUMENT...: refused with status 2 and exactly one message, on two ranks and, at the same time, alone.
refuse() {
  local text=$1 alone=0
  shift
  timeout --kill-after=10 600 "$program" "$@" >"$folder/alone.log" 2>&1 </dev/null &
  local job=$!
  run 2 "rank 0: .*$text" "$mpirun" 2 "$program" "$@"
  check "... once" test "$(grep -cE 'ddpm-mpi:|Error:' "$log")" = 1
  wait "$job" || alone=$?
  check "... alone, with status $alone" test "$alone" = 2
  check "... in the same words" grep -qE "^ddpm-mpi: .*$text" "$folder/alone.log"
}

# stand_in_for_mpirun FOLDER: makes FOLDER/mpirun, to be found before the real one by what readers are shown. It starts
# FOLDER/ddpm-mpi, with the options that this machine needs.
stand_in_for_mpirun() {
  cat >"$1/mpirun" <<SH
#!/usr/bin/env bash
PATH=\${PATH/"$1:"/}
if [[ \$1 == -n && \$3 == ddpm-mpi ]]; then exec "$mpirun" "\$2" "$1/ddpm-mpi" "\${@:4}"; fi
exec mpirun "\$@"
SH
  chmod +x "$1/mpirun"
}

# brief_program FILE PYTHON: makes FILE, the program for a moment: what takes hours takes seconds.
brief_program() {
  cat >"$1" <<SH
#!/usr/bin/env bash
exec "$2" "$PWD/Tests/Documentation/brief.py" "$program" "\$@"
SH
  chmod +x "$1"
}

# Says how many cases there were, and ends with 0 if all passed.
finish() {
  echo
  echo "$passed passed, $failed failed"
  ((failed == 0)) || exit 1
  exit 0
}
