# shellcheck shell=bash disable=SC2154 # common.sh sets the variables
# The batch scripts of cluster/ under a real SLURM: a controller and three machines of two cores, each of them a host of
# scripts/shared/hosts.sh, so that a machine's link can be cut. scripts/test/cluster.sh sources it.

slurm_packages=(slurmctld slurmd slurm-client munge libpmix2 iproute2)
slurm_nodes=3
# After so many seconds of silence SLURM gives up on a machine: five minutes, as at most sites, so that a busy machine is
# not taken for a lost one. Tests that cut a link set less.
slurm_node_timeout=300
# The machine whose link is cut.
unreachable=

# Longer than the other tests' runs, since SLURM takes seconds to decide.
slurm_config=("${config[@]}" --set training.steps=240 --set training.sample_every=240
  --set training.checkpoint_every=40)
slurm_last=checkpoints/step-00000240.h5

in_slurm() { on_host head env SLURM_CONF="$slurm/slurm.conf" "$@"; }

# configure [PARAMETERS]: writes the configuration; the parameters are the controller's own.
configure() {
  cat >"$slurm/slurm.conf" <<END
ClusterName=test
SlurmctldHost=head($hosts_network.254)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$slurm/munge/socket
StateSaveLocation=$slurm/state
SlurmdSpoolDir=$slurm/spool.%n
TmpFS=$slurm/tmp.%n
SlurmctldPidFile=$slurm/slurmctld.pid
SlurmdPidFile=$slurm/slurmd.%n.pid
SlurmctldLogFile=$slurm/log/slurmctld.log
SlurmdLogFile=$slurm/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
${1:+SlurmctldParameters=$1}
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
KillWait=5
MessageTimeout=10
ReturnToService=2
SlurmdTimeout=$slurm_node_timeout
AccountingStorageType=accounting_storage/none
NodeName=h[1-$slurm_nodes] NodeAddr=$hosts_network.[1-$slurm_nodes] CPUs=2 Boards=1 SocketsPerBoard=1 CoresPerSocket=2 ThreadsPerCore=1 RealMemory=2000 State=UNKNOWN
PartitionName=low Nodes=ALL Default=YES State=UP PriorityTier=1 PreemptMode=REQUEUE GraceTime=20
PartitionName=high Nodes=ALL State=UP PriorityTier=10 PreemptMode=OFF
END
}

# reconfigure [PARAMETERS]: has the running daemons take a new configuration.
reconfigure() {
  configure "$@"
  in_slurm scontrol reconfigure
}

# The daemons run on the hosts and end with them, but for munged, which all of them reach through a socket.
slurm_up() {
  local i deadline=$((SECONDS + patience))
  slurm=$folder/slurm
  mkdir -p "$slurm"/{munge,state,log}
  # munged wants no way to its socket on which others may write.
  chmod 755 "$folder" "$slurm" "$slurm/munge"
  head -c 128 /dev/urandom >"$slurm/munge/key"
  chmod 400 "$slurm/munge/key"
  configure
  hosts_up "$slurm_nodes"
  munged --foreground --force --num-threads=2 --key-file="$slurm/munge/key" --socket="$slurm/munge/socket" \
    --pid-file="$slurm/munge/pid" --seed-file="$slurm/munge/seed" --log-file="$slurm/munge/log" \
    >"$slurm/log/munged.log" 2>&1 &
  undo kill $!
  until munge -S "$slurm/munge/socket" -n >/dev/null 2>&1 || ((SECONDS > deadline)); do sleep 0.1; done
  exec_on_host head slurmctld -D -c -f "$slurm/slurm.conf" >"$slurm/log/slurmctld.out" 2>&1 &
  disown
  for ((i = 1; i <= slurm_nodes; i++)); do
    mkdir -p "$slurm/spool.h$i" "$slurm/tmp.h$i"
    exec_on_host "h$i" slurmd -D -f "$slurm/slurm.conf" >"$slurm/log/slurmd.h$i.out" 2>&1 &
    disown
  done
  await_idle
}

# await_idle: until all machines are there and none has anything left to do.
await_idle() {
  local deadline=$((SECONDS + patience))
  until [[ $(in_slurm sinfo --noheader --partition=low --states=idle --format=%D 2>/dev/null) == "$slurm_nodes" ]]; do
    if ((SECONDS > deadline)); then
      in_slurm sinfo --Node --long || true
      tail -n 5 "$slurm"/log/*
      return 1
    fi
    sleep 0.1
  done
}

# submit NAME [SBATCH-OPTION]... SCRIPT [ARGUMENT]...: a job, its number in $job. Its run is in the folder of its name,
# with LAUNCHER as its launcher.
submit() {
  local name=$1 options=
  shift
  # The hosts share their cores: the first of one is the first of all.
  if [[ ${LAUNCHER:-} == mpirun ]]; then options='--bind-to none'; fi
  job=$(OUTPUT=$folder/$name PROGRAM=$program OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 \
    OMPI_MCA_mpi_yield_when_idle=1 LAUNCHER_OPTIONS=$options in_slurm sbatch --parsable --output="$folder/$name.log" "$@")
}

# field JOB NAME: JobState, Restarts, ExitCode, ...
field() { in_slurm scontrol show job --oneliner "$1" | grep -oE "(^| )$2=[^ ]*" | sed 's/.*=//'; }

# reach_in_slurm NAME STEP: waits until the job has logged a step.
reach_in_slurm() {
  local deadline=$((SECONDS + patience))
  until grep -qs "^step $2/" "$folder/$1.log"; do
    if ((SECONDS > deadline)); then
      report "$1" "it did not get to step $2"
      return 1
    fi
    sleep 0.05
  done
}

# becomes NAME JOB STATE: waits for it, however busy the machine is; only what never happens is reported.
becomes() {
  local deadline=$((SECONDS + patience))
  until [[ $(field "$2" JobState) == "$3" ]]; do
    if ((SECONDS > deadline)); then
      report "$1" "the job is $(field "$2" JobState), not $3, after $patience s"
      in_slurm scancel "$2" || true
      return 1
    fi
    sleep 0.1
  done
}

# restarts_become NAME JOB COUNT
restarts_become() {
  local deadline=$((SECONDS + patience))
  until [[ $(field "$2" Restarts) == "$3" ]]; do
    if ((SECONDS > deadline)); then
      report "$1" "the job is $(field "$2" JobState), and was not requeued within $patience s"
      in_slurm scancel "$2" || true
      return 1
    fi
    sleep 0.1
  done
}

# goes_on NAME JOB RESTARTS: the job is requeued, is started again, and ends as if nothing had happened. A requeued job
# waits two minutes for its first start to be gone everywhere; here it waits for just that.
goes_on() {
  local name=$1 number=$2
  restarts_become "$name" "$number" "$3" || return 0
  await_end_of_steps "$number"
  # It may have been started already: SLURM does not let a job wait whose machine has failed.
  in_slurm scontrol update "jobid=$number" starttime=now || true
  # SLURM itself waits for two minutes before it starts a requeued job.
  becomes "$name" "$number" COMPLETED || return 0
  if [[ $(field "$number" Restarts) != "$3" ]]; then
    report "$name" "it was restarted $(field "$number" Restarts) times, not $3"
  elif ! h5diff "$folder/slurm-reference/$slurm_last" "$folder/$name/$slurm_last" >>"$folder/$name.log" 2>&1; then
    report "$name" "the resumed run ends with other bits"
  else
    pass "$name: requeued and resumed, restart $3, the same bits"
  fi
}

# await_end_of_steps JOB: until no machine that can be reached has a process of the job's first start. A second on,
# because a machine refuses the job's start in the second in which it ended it.
await_end_of_steps() {
  local deadline=$((SECONDS + patience))
  while has_steps "$1" && ((SECONDS < deadline)); do sleep 0.1; done
  sleep 1.5
}

has_steps() { # JOB
  local i process
  for ((i = 1; i <= slurm_nodes; i++)); do
    if [[ h$i == "$unreachable" ]]; then continue; fi
    for process in $(ip netns pids "$hosts_prefix-h$i"); do
      if grep -aq "^slurmstepd: \[$1[.]" "/proc/$process/cmdline" 2>/dev/null; then return 0; fi
    done
  done
  return 1
}

test_signal() { # LAUNCHER
  local name=signal-$1 reason="training has saved .*/signal-$1/checkpoints/step-[0-9]+.h5"
  # Its status may be 0 then.
  if [[ $1-$(hosts_mpi) == mpirun-mpich-4 ]]; then reason+="|the ranks ended, but the run .* is not at its last step"; fi
  LAUNCHER=$1 submit "$name" --nodes=2 --ntasks-per-node=1 cluster/train.sbatch "${slurm_config[@]}"
  reach_in_slurm "$name" 20
  # What --signal=B:USR1@120 does two minutes before the time limit.
  in_slurm scancel --batch --signal=USR1 "$job"
  goes_on "$name" "$job" 1
  says "$name" "^Job $job: ($reason). It returns to the queue"
}

# The signal as SLURM sends it before the time limit. With two minutes in all it comes at once, within half a minute.
submit_time_limit() {
  submit time-limit --nodes=1 --ntasks-per-node=1 --time=2 cluster/train.sbatch "${slurm_config[@]}" \
    --set training.steps=100000
}

test_time_limit() { # JOB
  restarts_become time-limit "$1" 1 || return 0
  in_slurm scancel "$1"
  says time-limit "^Job $1 got the signal USR1"
  says time-limit "^Job $1: training has saved .*. It returns to the queue"
}

test_preemption() { # LAUNCHER
  local name=preemption-$1 high
  LAUNCHER=$1 submit "$name" --nodes=2 --ntasks-per-node=1 cluster/train.sbatch "${slurm_config[@]}"
  reach_in_slurm "$name" 20
  high=$(in_slurm sbatch --parsable --partition=high --nodes="$slurm_nodes" --exclusive --output=/dev/null --wrap 'sleep 1')
  becomes "$name" "$high" COMPLETED || return 0
  goes_on "$name" "$job" 1
  says "$name" 'ddpm-mpi: stopped after step'
}

test_cut_in_slurm() { # LAUNCHER
  local name=cut-link-$1
  LAUNCHER=$1 submit "$name" --nodes=2 --ntasks-per-node=1 cluster/train.sbatch "${slurm_config[@]}"
  saves "$name"
  cut_link h2
  unreachable=h2
  goes_on "$name" "$job" 1
  says "$name" 'Resuming from '
  if [[ $(field "$job" NodeList) != 'h[1,3]' ]]; then report "$name" "it ran on $(field "$job" NodeList) again"; fi
  restore_link h2
  unreachable=
  # Has the machine report at once.
  in_slurm scontrol reconfigure
  await_idle
}

test_cancelled() {
  local name=cancelled
  submit "$name" --nodes=2 --ntasks-per-node=1 cluster/train.sbatch "${slurm_config[@]}"
  reach_in_slurm "$name" 20
  in_slurm scancel "$job"
  becomes "$name" "$job" CANCELLED || return 0
  pass "$name: it stays away"
  says "$name" 'ddpm-mpi: stopped after step'
  await_end_of_steps "$job"
  # Submitted again, to one machine.
  submit "$name" --ntasks=2 cluster/one-node.sbatch "${slurm_config[@]}"
  becomes "$name" "$job" COMPLETED || return 0
  unchanged_in_slurm "$name"
}

unchanged_in_slurm() { # NAME
  if h5diff "$folder/slurm-reference/$slurm_last" "$folder/$1/$slurm_last" >>"$folder/$1.log" 2>&1; then
    pass "$1: the same bits"
  else
    report "$1" "it ends with other bits"
  fi
}

test_mistake() {
  local name=mistake
  submit "$name" --nodes=2 --ntasks-per-node=1 cluster/train.sbatch "${slurm_config[@]}" --set training.step=1
  becomes "$name" "$job" FAILED || return 0
  if [[ $(field "$job" ExitCode) == 2:0 && $(field "$job" Restarts) == 0 ]]; then
    pass "$name: ended with 2, not requeued"
  else
    report "$name" "exit code $(field "$job" ExitCode), restarts $(field "$job" Restarts)"
  fi
}

# srun that does not tell its tasks of each other: MPI would make four jobs of one rank.
test_strangers() {
  local name=strangers
  submit "$name" --nodes=2 --ntasks-per-node=2 \
    --wrap "srun --mpi=none '$program' train --preset shapes --output '$folder/$name'"
  becomes "$name" "$job" FAILED || return 0
  says "$name" '^ddpm-mpi: srun started 4 tasks without connecting them'
  if [[ $(field "$job" ExitCode) == 2:0 && $(grep -c '^ddpm-mpi:' "$folder/$name.log") == 1 && ! -e $folder/$name ]]; then
    pass "$name: refused once, before anything was written"
  else
    report "$name" "exit code $(field "$job" ExitCode), or it was written or said more than once"
  fi
}

# Three runs side by side, of which the last, whose number is that of the whole array, is asked to stop.
test_sweep() {
  local name=sweep task
  cat >"$folder/settings.txt" <<'END'
# One task for each line.
--set seed=1

--set seed=2 --set 'training.ema_decays=[0.5, 0.9]'
--set seed=0
END
  submit "$name" --array=1-3 --ntasks=1 --output="$folder/$name-%a.log" cluster/sweep.sbatch "$folder/settings.txt" \
    "${slurm_config[@]}"
  for task in 1 2 3; do reach_in_slurm "$name-$task" 20; done
  if [[ $(in_slurm squeue --noheader --states=running --array --format=%i | wc -l) == 3 ]]; then
    pass "$name: side by side"
  else
    report "$name-1" "not all tasks ran at the same time"
  fi
  in_slurm scancel --batch --signal=USR1 "${job}_3"
  becomes "$name-3" "${job}_3" PENDING || return 0
  for task in 1 2; do
    becomes "$name-$task" "${job}_$task" COMPLETED || return 0
    if [[ $(field "${job}_$task" Restarts) != 0 ]]; then report "$name-$task" "it was restarted as well"; fi
  done
  await_end_of_steps "$job"
  in_slurm scontrol update "jobid=${job}_3" starttime=now
  becomes "$name-3" "${job}_3" COMPLETED || return 0
  unchanged_in_slurm "$name/3"
}

slurm_tests=(signal-srun signal-mpirun time-limit preemption-srun preemption-mpirun cut-link-srun cut-link-mpirun cancelled mistake
  strangers sweep)
missing=$(hosts_missing)
if [[ -n $missing ]]; then
  without "$missing" "${slurm_tests[@]}"
elif ! scripts/install-dependencies.sh "${slurm_packages[@]}" >"$folder/packages.log" 2>&1; then
  tail -n 5 "$folder/packages.log"
  without "SLURM's packages could not be installed" "${slurm_tests[@]}"
else
  undo hosts_down
  slurm_up
  start slurm-reference 2 "${slurm_config[@]}"
  ends slurm-reference 0
  # On the machine that the next two leave alone.
  submit_time_limit
  limited=$job
  test_signal srun
  test_signal mpirun
  test_time_limit "$limited"
  # SLURM sends TERM to the ranks...
  test_preemption srun
  # ...or, if so configured, what --signal asks for to the script: mpirun needs that.
  reconfigure preempt_send_user_signal
  test_preemption mpirun
  slurm_node_timeout=10
  reconfigure
  test_cut_in_slurm srun
  test_cut_in_slurm mpirun
  slurm_node_timeout=300
  reconfigure
  test_cancelled
  test_mistake
  test_strangers
  test_sweep
fi
