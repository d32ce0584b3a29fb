# A Slurm cluster of one node, this machine, on loopback: no systemd, no cgroups, everything in one directory.
# Sourced. start_slurm DIRECTORY; stop_slurm.

slurm_processes=
stop_slurm() {
  # The node first: it would look for the controller.
  for process in $slurm_processes; do kill "$process" 2>/dev/null && wait "$process" 2>/dev/null; done
  slurm_processes=
}

# in_background NAME COMMAND...
in_background() {
  log=$slurm/$1.out
  shift
  "$@" >"$log" 2>&1 &
  slurm_processes="$! $slurm_processes"
}

# Two ports that nobody listens on.
free_ports() {
  python3 -c 'import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(each.getsockname()[1] for each in sockets))'
}

start_slurm() {
  slurm=$1
  user=$(id -un) node=$(hostname -s)
  ports=$(free_ports)
  mkdir "$slurm" "$slurm/state" "$slurm/spool"
  chmod 755 "$slurm"
  cat >"$slurm/slurm.conf" <<EOF
ClusterName=test
SlurmctldHost=$node(127.0.0.1)
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$slurm/munge.socket
StateSaveLocation=$slurm/state
SlurmdSpoolDir=$slurm/spool
SlurmctldPidFile=$slurm/slurmctld.pid
SlurmdPidFile=$slurm/slurmd.pid
SlurmctldPort=${ports% *}
SlurmdPort=${ports#* }
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
ReturnToService=2
SchedulerType=sched/builtin
SchedulerParameters=batch_sched_delay=0,sched_interval=1
NodeName=$node NodeAddr=127.0.0.1 CPUs=2
PartitionName=all Nodes=$node Default=YES State=UP
EOF
  export SLURM_CONF=$slurm/slurm.conf
  head -c 1024 /dev/urandom >"$slurm/munge.key"
  chmod 400 "$slurm/munge.key"
  in_background munged munged --foreground --force --num-threads=1 --key-file="$slurm/munge.key" \
    --socket="$slurm/munge.socket" --pid-file="$slurm/munged.pid" --seed-file="$slurm/munge.seed"
  wait_for test -S "$slurm/munge.socket"
  in_background slurmctld slurmctld -D
  in_background slurmd slurmd -D
  wait_for node_is_idle
}

node_is_idle() { sinfo -h -o %t 2>/dev/null | grep -qx idle; }

# wait_for COMMAND...: up to a minute.
wait_for() {
  for attempt in $(seq 300); do
    ! "$@" || return 0
    sleep 0.2
  done
  tail "$slurm"/*.out >&2
  return 1
}
