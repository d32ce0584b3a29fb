#!/bin/sh
# What a new user does on a fresh Debian 12: installs the package, checks an image, looks at the report and the manual
# page, repairs, and takes that back. For maintainers, before a release; as root, with debootstrap and qemu-utils.
# Usage: fresh_debian.sh BUILD_DIRECTORY [MIRROR]
set -eu
here=$(dirname "$(readlink -f "$0")")
build=$1 mirror=${2:-http://deb.debian.org/debian}
work=$(mktemp -d)
root=$work/root
clean_up() {
  umount "$root/proc" 2>/dev/null || true
  rm -rf --one-file-system "$work"
}
trap clean_up EXIT
say() { printf '\n== %s\n' "$*"; }
# inside WANTED_STATUS COMMAND...: as the user types it there.
inside() {
  wanted=$1 status=0
  shift
  say "$ $*"
  chroot "$root" sh -c "cd /home && LC_ALL=C.UTF-8 $*" || status=$?
  [ "$status" = "$wanted" ] || { echo "exit status $status, not $wanted" >&2; exit 1; }
}

say 'packages'
cpack --config "$build/CPackConfig.cmake" -B "$work/packages" >"$work/cpack.log" 2>&1 || { cat "$work/cpack.log"; exit 1; }
say 'a fresh Debian 12'
debootstrap --variant=minbase bookworm "$root" "$mirror" >"$work/debootstrap.log" || { tail "$work/debootstrap.log"; exit 1; }
mount -t proc proc "$root/proc" || true # else /proc is empty, as in some containers
cp "$work"/packages/cowvet_*.deb "$root/home"
# A name in the header that leads nowhere: all data is there, and no other tool would find it.
qemu-img create -q -f qcow2 "$root/home/disk.qcow2" 64M
qemu-io -c 'write -P 7 0 1M' "$root/home/disk.qcow2" >/dev/null
printf '\1' | dd of="$root/home/disk.qcow2" bs=1 seek=44 conv=notrunc status=none
before=$(sha256sum <"$root/home/disk.qcow2")

inside 0 'apt-get -qq -y --no-install-recommends install ./cowvet_*.deb >/dev/null 2>&1'
inside 0 cowvet --version
inside 2 cowvet check disk.qcow2
inside 2 cowvet check --evidence --verbose --quiet disk.qcow2
inside 4 fsck -t qcow2 /home/disk.qcow2 -n
inside 2 cowvet report disk.qcow2 -o report.html
inside 0 'grep -o "<h1>.*</h1>" report.html'
inside 64 'cowvet-repair disk.qcow2 </dev/null'
inside 0 cowvet-repair --yes disk.qcow2
inside 0 cowvet check disk.qcow2
inside 0 fsck -t qcow2 /home/disk.qcow2
[ "$(qemu-io -r -c 'read -P 7 0 1M' "$root/home/disk.qcow2" | grep -c 'read 1048576/1048576')" = 1 ]
inside 2 cowvet-repair --undo disk.qcow2
[ "$(sha256sum <"$root/home/disk.qcow2")" = "$before" ]
inside 0 'zcat /usr/share/man/man1/cowvet-check.1.gz | grep -c evidence'
inside 0 'ls /usr/share/bash-completion/completions/cowvet /usr/share/zsh/vendor-completions/_cowvet /usr/share/fish/vendor_completions.d/cowvet.fish'

# The other packages: the component for servers is found, the library and its headers serve a program.
cp "$work"/packages/*.deb "$here/consumer.cc" "$root/home"
inside 0 'cowvet check nbd+unix:///?socket=/none 2>&1 | grep -q cowvet-nbd'
inside 0 'apt-get -qq -y --no-install-recommends install ./*.deb g++ libc6-dev pkg-config >/dev/null 2>&1'
inside 1 cowvet check nbd+unix:///?socket=/none
inside 0 'g++ -std=c++23 consumer.cc -o consumer $(pkg-config --cflags --libs cowvet) && ./consumer check disk.qcow2 | tail -1'
inside 0 'apt-get -qq -y purge cowvet cowvet-nbd libcowvet-dev "libcowvet0*" >/dev/null 2>&1'
inside 2 'ls -d /usr/share/cowvet /usr/include/cowvet /usr/bin/cowvet /usr/sbin/fsck.qcow2 /etc/cowvet 2>/dev/null'
say 'all as a new user expects'
