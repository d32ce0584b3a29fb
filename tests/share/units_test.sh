#!/bin/bash
# The weekly check as systemd runs it: the command line of the service in the environment that the unit gives it, and,
# where this user may make namespaces, the units themselves under a systemd that is booted for them.
# Usage: units_test.sh SOURCE_DIRECTORY COWVET
set -eu
units=$1/checker/share/systemd here=$1/tests/share
work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
mkdir "$work/images" "$work/units"
cp "$2" "$work/cowvet"
sed 's|^ExecStart=/usr/bin/cowvet triage|ExecStart=/check/cowvet triage --verbose|; s|/var/lib/libvirt/images|/check/images|' \
  "$units/cowvet-check.service" >"$work/units/cowvet-check.service"
cp "$units/cowvet-check.timer" "$work/units"
qemu-img create -q -f qcow2 "$work/images/good.qcow2" 1M
echo text >"$work/images/text"
qemu-img create -q -f qcow2 "$work/bad.qcow2" 1M
printf '\377' | dd of="$work/bad.qcow2" bs=1 seek=40 conv=notrunc status=none

# The line itself. What systemd takes for success besides 0 is in the unit.
line=$(sed -n 's|^ExecStart=/check/|./|p' "$work/units/cowvet-check.service")
successes=" 0 $(sed -n 's/^SuccessExitStatus=//p' "$work/units/cowvet-check.service") "
is_success() { # as the unit says
  local status=0
  (cd "$work" && env -i COWVET_IMAGES=images sh -c "$line") >"$work/out" 2>&1 || status=$?
  [[ $successes == *" $status "* ]]
}
is_success || { cat "$work/out"; exit 1; }
cp "$work/bad.qcow2" "$work/images"
! is_success || { echo 'the service succeeds where an image is damaged'; exit 1; }

if [ "$(id -u)" != 0 ] || ! unshare -pfmuinC --kill-child true 2>/dev/null || [ ! -x /usr/lib/systemd/systemd ]; then
  echo 'no namespaces or no systemd here: the units were not started'
  exit 0
fi
# The one that is started says in files here how that went.
timeout -s KILL 100 unshare -pfmuinC --kill-child bash "$here/boot_systemd.sh" "$work" >"$work/boot.log" 2>&1 </dev/null || true
[ -e "$work/booted" ] || { echo 'systemd does not run in these namespaces: the units were not started'; cat "$work/boot.log"; exit 0; }
expect() { # FILE WORDS...
  local file=$work/$1
  shift
  grep -qF -- "$*" "$file" || { echo "$file lacks '$*':"; cat "$file"; exit 1; }
}
expect damaged 'ExecMainStatus=2'
expect damaged 'Result=exit-code'
expect damaged '1 corrupt'
# The unit leaves it the system calls by which cowvet shuts itself in.
expect damaged "$("$work/cowvet" check --verbose "$work/images/good.qcow2" 2>&1 | grep -o 'sandbox: .*')"
expect sound 'Result=success'
expect sound '1 not-qcow2, 1 sound'
expect timer 'cowvet-check.service'
expect timer 'NextElapseUSecRealtime=Mon '
echo 'started by systemd: all as expected'
