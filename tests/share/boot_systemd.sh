#!/bin/bash
# The first process of new namespaces: makes a root directory of this system's /usr and little else, nothing of which
# can change this system, and lets systemd run cowvet-check there.
# Usage: unshare -pfmuinC --kill-child boot_systemd.sh WORK_DIRECTORY
set -eu
work=$1
mount --make-rprivate /
root=$work/root
mkdir "$root"
mount -t tmpfs tmpfs "$root"
cd "$root"
mkdir -p usr etc/systemd/system var/log run tmp proc sys dev/pts dev/shm dev/mqueue old check
ln -s usr/bin usr/sbin usr/lib usr/lib64 .
mount --rbind /usr usr
mount -o remount,bind,ro usr
mount --bind "$work" check
cp "$work"/units/* etc/systemd/system
cp /etc/passwd /etc/group etc
: >etc/machine-id
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
for device in null zero full random urandom tty; do
  : >dev/$device
  mount --bind /dev/$device dev/$device
done
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /run/systemd/journal/dev-log dev/log
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  mount -t cgroup2 cgroup2 sys/fs/cgroup
else
  mount -t tmpfs tmpfs sys/fs/cgroup
  mkdir sys/fs/cgroup/systemd
  mount -t cgroup -o none,name=systemd,xattr cgroup sys/fs/cgroup/systemd
fi
cat >etc/systemd/system/try.service <<'UNIT'
[Unit]
After=basic.target
Wants=basic.target
[Service]
Type=oneshot
StandardOutput=null
ExecStart=/bin/bash /check/try.sh
ExecStopPost=/bin/systemctl poweroff --force --force
UNIT
cat >"$work/try.sh" <<'SCRIPT'
cd /check
: >booted
show() {
  systemctl start cowvet-check.service
  systemctl show -p Result,ExecMainStatus cowvet-check.service
  journalctl --sync
  journalctl -u cowvet-check.service --no-pager
}
show >damaged 2>&1
rm images/bad.qcow2
show >sound 2>&1
{ systemctl start cowvet-check.timer; systemctl show -p NextElapseUSecRealtime,Triggers cowvet-check.timer; } >timer 2>&1
SCRIPT
pivot_root . old
exec env -i container=lxc PATH=/usr/sbin:/usr/bin /usr/lib/systemd/systemd --system --unit=try.service
