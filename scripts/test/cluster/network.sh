# shellcheck shell=bash disable=SC2154 # common.sh sets the variables
# Links between hosts that are cut for a while, or for good, under mpirun without SLURM. scripts/test/cluster.sh sources
# it.

# How long an outage may be, in seconds.
outage=3
# How long a job may go on after a cut, in seconds. It takes 10 to 15, and minutes with the launchers' own settings;
# this is far from both, since the machine may be busy.
notice=90

# start_on_hosts NAME: a job with a rank on each host in the background, its process in $job.
start_on_hosts() {
  exec_on_hosts 1 "$program" train "${config[@]}" --output "$folder/$1" >"$folder/$1.log" 2>&1 &
  job=$!
}

test_outage() {
  local name=outage-of-a-link before
  start_on_hosts "$name"
  reach "$name" 10
  cut_link h2
  sleep 0.5
  before=$(grep -c '^step ' "$folder/$name.log")
  sleep "$((outage - 1)).5"
  if (($(grep -c '^step ' "$folder/$name.log") > before)); then report "$name" "training does not mind the cut"; fi
  restore_link h2
  ends "$name" 0
  unchanged "$name"
}

test_cut() {
  local name=cut-link from took status=0 expected
  start_on_hosts "$name"
  saves "$name"
  cut_link h2
  from=$SECONDS
  while kill -0 "$job" 2>/dev/null || [[ -n $(ranks_of "$name") ]]; do
    if ((SECONDS - from > patience)); then
      report "$name" "it did not end within $patience s, on both sides of the cut"
      kill -9 "$job" || true
      ranks_of "$name" | xargs -r kill -9
      break
    fi
    sleep 0.1
  done
  wait "$job" || status=$?
  took=$((SECONDS - from))
  # The status of Open MPI 5 does not say that the run is not at its end.
  case $(hosts_mpi) in
    openmpi-4) expected=205 ;;
    openmpi) expected=0 ;;
    *) expected=6 ;;
  esac
  if ((status != expected)); then
    report "$name" "it ended with $status instead of $expected"
  elif [[ -e $folder/$name/$last ]]; then
    report "$name" "it did not mind the cut"
  elif ((took > notice)); then
    report "$name" "it ended only after $took s"
  else
    pass "$name: ended with $status after $took s"
  fi
  restore_link h2
  same "$name" 3
}

missing=$(hosts_missing)
if [[ -n $missing ]]; then
  without "$missing" outage-of-a-link cut-link
else
  undo hosts_down
  hosts_up 2 1gbit
  # The settings that users get.
  repository=$PWD
  # shellcheck source=cluster/site.sh
  source cluster/site.sh
  test_outage
  test_cut
  hosts_down
fi
