#!/bin/sh
# The hook of libvirt, called as libvirt calls it, with XML as libvirt writes it; and the units of systemd.
# Usage: gate_test.sh SOURCE_DIRECTORY COWVET
set -eu
gate=$1/checker/share/libvirt/cowvet-gate
export COWVET="$2" COWVET_POLICY=/no/such/policy
units=$1/checker/share/systemd
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

qemu-img create -q -f qcow2 'good one.qcow2' 1M
qemu-img create -q -u -f qcow2 -b /etc/passwd -F raw bad.qcow2 1M

# domain DISK_XML...: a domain with these disks.
domain() {
  printf "<domain type='kvm'><name>g</name><devices><emulator>/usr/bin/qemu</emulator>%s</devices></domain>\n" "$*"
}
disk() { # TYPE ATTRIBUTE FILE FORMAT
  printf "<disk type='%s' device='disk'><driver name='qemu' type='%s'/><source %s='%s'/><target dev='vda'/></disk>" \
    "$1" "$4" "$2" "$3"
}
expect() { # STATUS NAME OPERATION SUBOPERATION; the domain is standard input
  status=0
  "$gate" guest "$3" "$4" - >out 2>err || status=$?
  if [ "$status" -ne "$1" ]; then
    echo "$2: status $status, not $1:"
    cat out err
    exit 1
  fi
}

good=$(disk file file "$work/good one.qcow2" qcow2)
bad=$(disk file file "$work/bad.qcow2" qcow2)
domain "$good" | expect 0 'a good disk' prepare begin
domain "$good" "$bad" | expect 1 'a bad second disk' prepare begin
grep -q 'guest is not started: .*/bad.qcow2 did not pass' err
domain "$bad" | expect 0 'a guest that runs' reconnect begin
domain "$bad" | expect 0 'a guest that has started' started begin
domain "$bad" | expect 0 'the end of a preparation' prepare end
domain "$(disk file file "$work/bad.qcow2" raw)" | expect 0 'a raw disk' prepare begin
domain "$(disk file file "$work/gone.qcow2" qcow2)" | expect 1 'a disk that is not there' prepare begin
domain "$(disk network name pool/x qcow2)" | expect 1 'a disk that cannot be reached' prepare begin
domain "<disk type='file' device='cdrom'><driver type='qcow2'/></disk>" | expect 0 'an empty drive' prepare begin
domain | expect 0 'no disks' prepare begin
printf '<domain><devices>' | expect 1 'broken XML' prepare begin
printf '<other/>' | expect 1 'other XML' prepare begin
printf '' | expect 1 'no XML' prepare begin

# A policy of the host allows more.
printf 'allow backing-file /etc\n' >policy
domain "$bad" | COWVET_POLICY=$work/policy expect 0 'what the policy allows' prepare begin

if command -v systemd-analyze >/dev/null; then
  mkdir units
  sed "s|/usr/bin/cowvet|$COWVET|" "$units/cowvet-check.service" >units/cowvet-check.service
  cp "$units/cowvet-check.timer" units
  systemd-analyze verify --man=no units/cowvet-check.service units/cowvet-check.timer
fi
