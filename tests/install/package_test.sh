#!/bin/sh
# Makes the Debian packages of a build. They have to pass lintian, the pages mandoc; what is inside has to run.
# Usage: package_test.sh BUILD_DIRECTORY
set -eu
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cpack --config "$build/CPackConfig.cmake" -B "$work/packages" >"$work/cpack.log" 2>&1 || { cat "$work/cpack.log"; exit 1; }
lintian --allow-root --fail-on error,warning "$work"/packages/*.deb
for package in "$work"/packages/*.deb; do dpkg-deb -x "$package" "$work/root"; done

ls "$work"/root/usr/share/man/man?/*.gz >"$work/pages"
for page in cowvet.1 cowvet-check.1 cowvet-map.1 cowvet-policy.5 cowvet-rules.7 cowvet-repair.8 fsck.qcow2.8; do grep -q "/$page.gz$" "$work/pages"; done
while read -r page; do gzip -dc "$page" | mandoc -T lint -W error; done <"$work/pages"
gzip -dc "$work/root/usr/share/man/man1/cowvet-check.1.gz" | grep -q -- '\\-\\-max\\-memory'
gzip -dc "$work/root/usr/share/man/man7/cowvet-rules.7.gz" | grep -q 'refcount/orphan\\-mapping'

# What the files of the package that nothing else needs are in want of.
dpkg-deb -f "$work"/packages/cowvet_*.deb Suggests | grep -q libxml2-utils
for file in libvirt/cowvet-gate systemd/cowvet-check.service systemd/cowvet-check.timer; do
  [ -e "$work/root/usr/share/cowvet/$file" ]
done
[ -x "$work/root/usr/share/cowvet/libvirt/cowvet-gate" ]
for file in boot.policy triage-shard triage-job.yaml; do [ -e "$work/root/usr/share/doc/cowvet/examples/$file" ]; done

qemu-img create -q -f qcow2 "$work/image.qcow2" 1M
"$work/root/usr/bin/cowvet" check -q "$work/image.qcow2"
"$work/root/usr/bin/cowvet-repair" --yes -q "$work/image.qcow2"
"$work/root/usr/sbin/fsck.qcow2" -n "$work/image.qcow2"
