#!/bin/sh
# The hook of libvirt, called as libvirt calls it, with XML as libvirt writes it; and the units of systemd.
# Usage: gate_test.sh SOURCE_DIRECTORY COWVET
set -eu
gate=$1/checker/share/libvirt/cowvet-gate
export COWVET="$2" COWVET_POLICY=/no/such/policy
units=$1/checker/share/systemd
work=$(mktemp -d)
# Also detaches what a failure leaves behind.
clean_up() {
  for file in good.block bad.block; do
    losetup -n -O NAME -j "$work/$file" 2>/dev/null | while read -r left; do losetup --detach "$left"; done
  done
  rm -rf "$work"
}
trap clean_up EXIT
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

# Disks as libvirt writes them: optical and floppy drives count where they are qcow2, of block devices the path counts,
# and what is not qcow2 is not looked at, wherever it is.
optical() { printf "<disk type='file' device='cdrom'><driver name='qemu' type='%s'/><source file='%s'/><readonly/></disk>" "$2" "$1"; }
domain "$good" "$(optical "$work/bad.qcow2" qcow2)" | expect 1 'a bad optical disk' prepare begin
domain "$(optical "$work/bad.qcow2" raw)" "$good" "$good" | expect 0 'a raw optical disk and two good disks' prepare begin
domain "$(disk network name pool/x raw)" | expect 0 'a raw disk on a server' prepare begin
domain "$(disk volume pool default qcow2)" | expect 1 'a volume, whose path is not in the XML' prepare begin
domain "<disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='/dev/null'/></disk>" |
  expect 0 'a raw block device' prepare begin
cp 'good one.qcow2' good.block
cp bad.qcow2 bad.block
truncate -s 1M good.block bad.block # devices are whole sectors
if [ "$(id -u)" = 0 ] && device=$(losetup --find --show good.block 2>/dev/null); then
  domain "$(disk block dev "$device" qcow2)" | expect 0 'a good image on a block device' prepare begin
  losetup --detach "$device"
  device=$(losetup --find --show bad.block)
  domain "$(disk block dev "$device" qcow2)" | expect 1 'a bad image on a block device' prepare begin
  grep -q "$device did not pass" err
  losetup --detach "$device"
else
  echo 'no loop devices here: images on block devices were not tried'
fi
# Names that a shell or an option parser would take for something else.
cp bad.qcow2 '$(touch hacked) -- "x"; --help'
domain "$(disk file file "$work/\$(touch hacked) -- &quot;x&quot;; --help" qcow2)" | expect 1 'an odd name' prepare begin
[ ! -e hacked ]
domain "$bad" | expect 0 'no operation at all' '' ''
for operation in start started stopped release migrate restore attach; do
  domain "$bad" | expect 0 "the operation $operation" "$operation" begin
done
# Without xmllint nothing can be said, so that nothing starts.
mkdir bin
for program in sh cat grep printf; do ln -s "$(command -v $program)" bin/ 2>/dev/null || true; done
domain "$good" | PATH=$work/bin expect 1 'no xmllint' prepare begin
grep -q 'xmllint is needed' err

# A policy of the host allows more.
printf 'allow backing-file /etc\n' >policy
domain "$bad" | COWVET_POLICY=$work/policy expect 0 'what the policy allows' prepare begin

if command -v systemd-analyze >/dev/null; then
  mkdir units
  sed "s|/usr/bin/cowvet|$COWVET|" "$units/cowvet-check.service" >units/cowvet-check.service
  cp "$units/cowvet-check.timer" units
  systemd-analyze verify --man=no units/cowvet-check.service units/cowvet-check.timer
  # From 0 (shut in) to 10; the threshold is ten times that.
  systemd-analyze security --offline=yes --threshold=20 units/cowvet-check.service >security || { cat security; exit 1; }
  systemd-analyze calendar weekly >/dev/null
else
  echo 'systemd-analyze is not here: the units were not looked at'
fi
