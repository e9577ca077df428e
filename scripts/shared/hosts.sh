# shellcheck shell=bash
# Several hosts on one machine, for tests and measurements of what happens between machines. To be sourced, by bash;
# scripts/measure/on-hosts.sh is the same as a command. Takes Linux, root privileges, `ip` and `tc` (iproute2), `nsenter`
# and `unshare` (util-linux), and an MPI: Open MPI, or another one that MPIRUN names the launcher of.
#
#   hosts_up COUNT [RATE]     makes the hosts h1 to hCOUNT on one switch; RATE shapes what each of them sends, as `tc`
#                             takes it (1gbit)
#   hosts_down                takes them away again, with whatever still runs on them
#   on_hosts RANKS PROGRAM [ARGUMENT]...
#                             runs an MPI program with so many ranks on each host; mpirun itself runs on h1
#   on_host HOST COMMAND [ARGUMENT]...
#                             runs a command on one host, or on `head`
#   exec_on_hosts, exec_on_host
#                             the same in place of the shell, to be followed by &: a signal to $! then reaches mpirun,
#                             or the command
#   cut_link HOST             pulls a host's cable; restore_link HOST puts it back
#   hosts_missing             prints why there can be no hosts here, or nothing
#
# A host is a network namespace with a hostname of its own. It shares processors, memory and file systems with the
# others, so the times between two hosts are those of the network, and the times of computing are those of a machine
# that does everybody's work. The switch is a bridge in a namespace too, the host `head`: nothing is seen from outside,
# and hosts of several shells do not meet.

# The address of host h<i> is 10.77.0.<i>; head, which is not shaped, has .254.
hosts_network=10.77.0
hosts_count=0
# Names the namespaces; several sets of hosts on one machine differ in it.
hosts_prefix=ddpm-$BASHPID
hosts_folder=
# Further options for mpirun.
hosts_mpirun_options=()

hosts_missing() {
  local tool
  for tool in ip tc nsenter unshare; do
    command -v "$tool" >/dev/null || { echo "there is no $tool (Debian's packages iproute2 and util-linux)"; return; }
  done
  if ((EUID != 0)); then
    echo "network namespaces take root privileges"
  elif ! ip netns add "$hosts_prefix-try" 2>/dev/null; then
    echo "the system refuses to make a network namespace, as containers without the capability SYS_ADMIN do"
  elif ! ip -n "$hosts_prefix-try" link add try type bridge 2>/dev/null; then
    echo "the system has no network bridge"
  fi
  ip netns delete "$hosts_prefix-try" 2>/dev/null || true
}

hosts_up() {
  local count=$1 rate=${2:-} missing i host
  if ! [[ $count =~ ^[1-9][0-9]*$ ]] || ((count > 200)); then
    echo "hosts_up: $count hosts; it takes 1 to 200." >&2
    return 2
  fi
  missing=$(hosts_missing)
  if [[ -n $missing ]]; then
    echo "There can be no hosts here: $missing." >&2
    return 1
  fi
  hosts_count=$count
  hosts_folder=$(mktemp -d)
  # Hosts know each other's names, and no server that could be asked for others: nobody waits for an answer.
  : >"$hosts_folder/resolv.conf"
  {
    echo "127.0.0.1 localhost"
    echo "$hosts_network.254 head"
    for ((i = 1; i <= count; i++)); do echo "$hosts_network.$i h$i"; done
  } >"$hosts_folder/hosts"
  ip netns add "$hosts_prefix-head"
  ip -n "$hosts_prefix-head" link set lo up
  ip -n "$hosts_prefix-head" link add switch type bridge
  ip -n "$hosts_prefix-head" address add "$hosts_network.254/24" dev switch
  ip -n "$hosts_prefix-head" link set switch up
  for ((i = 1; i <= count; i++)); do
    host=h$i
    ip netns add "$hosts_prefix-$host"
    ip -n "$hosts_prefix-head" link add "$host" type veth peer name eth0 netns "$hosts_prefix-$host"
    ip -n "$hosts_prefix-head" link set "$host" master switch up
    ip -n "$hosts_prefix-$host" address add "$hosts_network.$i/24" dev eth0
    ip -n "$hosts_prefix-$host" link set eth0 up
    ip -n "$hosts_prefix-$host" link set lo up
    if [[ -n $rate ]]; then
      tc -n "$hosts_prefix-$host" qdisc add dev eth0 root tbf rate "$rate" burst 256kb latency 50ms
    fi
  done

  # What mpirun takes for ssh: drops the options, goes to the host and has a shell read the rest.
  {
    echo '#!/bin/bash'
    declare -p hosts_prefix hosts_folder
    declare -f exec_on_host
    cat <<'END'
while [[ $1 == -* ]]; do shift; done
host=$1
shift
exec_on_host "$host" bash -c "$*"
END
  } >"$hosts_folder/remote-shell"
  chmod +x "$hosts_folder/remote-shell"
}

hosts_down() {
  local namespace
  [[ -n $hosts_folder ]] || return 0
  for namespace in $(hosts_namespaces); do
    ip netns pids "$namespace" | xargs --no-run-if-empty kill -9 2>/dev/null || true
  done
  for namespace in $(hosts_namespaces); do ip netns delete "$namespace" || true; done
  rm -rf "$hosts_folder"
  hosts_folder=
  hosts_count=0
}

hosts_namespaces() {
  local i
  for ((i = 1; i <= hosts_count; i++)); do echo "$hosts_prefix-h$i"; done
  echo "$hosts_prefix-head"
}

exec_on_host() {
  local host=$1
  shift
  # Not `ip netns exec`, which hides what is mounted below /sys.
  # shellcheck disable=SC2016 # for the shell on the other side
  exec nsenter --net="/run/netns/$hosts_prefix-$host" unshare --uts --mount bash -c '
    hostname "$0"
    mount --bind "$1/hosts" /etc/hosts
    mount --bind "$1/resolv.conf" /etc/resolv.conf
    shift
    exec "$@"' "$host" "$hosts_folder" "$@"
}

exec_on_hosts() {
  local ranks=$1 list='' i
  shift
  for ((i = 1; i <= hosts_count; i++)); do list+=${list:+,}h$i:$ranks; done
  local mpirun=${MPIRUN:-mpirun} count=$((hosts_count * ranks)) shell=$hosts_folder/remote-shell
  local open_mpi=(--host "$list" -n "$count" --oversubscribe --bind-to none --mca pml ob1
    --mca btl_tcp_if_include eth0 --mca mpi_yield_when_idle 1)
  local hydra=(-hosts "${list//":$ranks"/}" -ppn "$ranks" -n "$count" -iface eth0 -launcher ssh -launcher-exec "$shell")
  # Open MPI 5 reads both.
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  export PRTE_ALLOW_RUN_AS_ROOT=1 PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1
  case $(hosts_mpi) in
    openmpi-4)
      exec_on_host h1 "$mpirun" "${open_mpi[@]}" --mca plm rsh --mca plm_rsh_agent "$shell" \
        --mca plm_rsh_no_tree_spawn 1 --mca btl tcp,vader,self --mca oob_tcp_if_include eth0 \
        "${hosts_mpirun_options[@]}" "$@"
      ;;
    openmpi)
      exec_on_host h1 "$mpirun" "${open_mpi[@]}" --mca plm ssh --mca plm_ssh_agent "$shell" \
        --mca plm_ssh_no_tree_spawn 1 --mca btl tcp,sm,self "${hosts_mpirun_options[@]}" "$@"
      ;;
    intel)
      export I_MPI_FABRICS=shm:ofi FI_PROVIDER=tcp I_MPI_PIN=off
      # Its mpirun is a shell script, which a signal ends without the ranks.
      mpirun=${mpirun/%mpirun/mpiexec.hydra}
      exec_on_host h1 "$mpirun" "${hydra[@]}" "${hosts_mpirun_options[@]}" "$@"
      ;;
    *)
      # The hosts share their memory, which messages between them must not use.
      export UCX_TLS=tcp,self UCX_NET_DEVICES=eth0
      exec_on_host h1 "$mpirun" "${hydra[@]}" -bind-to none "${hosts_mpirun_options[@]}" "$@"
      ;;
  esac
}

# hosts_mpi: prints whose launcher is used: openmpi-4 or openmpi for later versions, intel, mpich-4 or mpich.
hosts_mpi() {
  local version
  version=$("${MPIRUN:-mpirun}" --version 2>&1 || true)
  case $version in
    *"Open MPI) 4."* | *"OpenRTE) 4."*) echo openmpi-4 ;;
    *"Open MPI"* | *PRRTE*) echo openmpi ;;
    *Intel*) echo intel ;;
    *) if grep -q '^ *Version: *4[.]' <<<"$version"; then echo mpich-4; else echo mpich; fi ;;
  esac
}

on_host() { (exec_on_host "$@"); }
on_hosts() { (exec_on_hosts "$@"); }

# Both ends lose their carrier; what is sent then is dropped.
cut_link() { ip -n "$hosts_prefix-head" link set "$1" down; }
restore_link() { ip -n "$hosts_prefix-head" link set "$1" up; }
