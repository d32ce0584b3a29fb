# An ssh server for a test: a host key, a user key, a configuration and a port of its own, on 127.0.0.1 only. No file of
# the machine's own server or of the user's ~/.ssh is read or written.

# start_ssh_server DIRECTORY: sets ssh_login, a word that GNU parallel takes for a machine. Fails with a reason in
# ssh_reason where it cannot work.
start_ssh_server() {
  ssh_directory=$1
  sshd=$(command -v sshd || command -v /usr/sbin/sshd) || { ssh_reason='no sshd here (Debian: openssh-server)'; return 1; }
  # As root, the server shuts a part of itself into this directory, whose name is built in.
  [ "$(id -u)" != 0 ] || mkdir -p /run/sshd 2>/dev/null || { ssh_reason='/run/sshd cannot be made'; return 1; }
  mkdir -p "$ssh_directory"
  chmod 700 "$ssh_directory"
  ssh-keygen -q -t ed25519 -N '' -f "$ssh_directory/host"
  ssh-keygen -q -t ed25519 -N '' -f "$ssh_directory/user"
  for ssh_port in $(seq 42622 42641); do
    cat >"$ssh_directory/config" <<END
Port $ssh_port
ListenAddress 127.0.0.1
HostKey $ssh_directory/host
AuthorizedKeysFile $ssh_directory/user.pub
AuthenticationMethods publickey
PermitRootLogin prohibit-password
PidFile $ssh_directory/pid
StrictModes no
UsePAM no
LogLevel VERBOSE
END
    "$sshd" -f "$ssh_directory/config" -E "$ssh_directory/log" || continue
    for try in $(seq 100); do [ ! -s "$ssh_directory/pid" ] || break; sleep 0.05; done
    [ ! -s "$ssh_directory/pid" ] || break
  done
  printf '[127.0.0.1]:%s %s\n' "$ssh_port" "$(cut -d' ' -f1,2 "$ssh_directory/host.pub")" >"$ssh_directory/known"
  # GNU parallel takes a command for ssh, but no options with blanks in them.
  cat >"$ssh_directory/ssh" <<END
#!/bin/sh
exec ssh -F /dev/null -p $ssh_port -i $ssh_directory/user -o IdentitiesOnly=yes -o BatchMode=yes \
  -o UserKnownHostsFile=$ssh_directory/known -o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes "\$@"
END
  chmod +x "$ssh_directory/ssh"
  ssh_login="$ssh_directory/ssh 127.0.0.1"
  "$ssh_directory/ssh" 127.0.0.1 true 2>"$ssh_directory/refusal" && return 0
  ssh_reason="the server takes no login: $(tail -n 1 "$ssh_directory/refusal") ($(tail -n 1 "$ssh_directory/log"))"
  return 1
}

stop_ssh_server() {
  [ ! -s "${ssh_directory:-}/pid" ] || kill "$(cat "$ssh_directory/pid")" 2>/dev/null || true
  rm -f "${ssh_directory:-}/pid"
}
