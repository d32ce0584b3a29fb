#!/bin/sh
# Installs a build, then builds and runs a program with what was installed: once by CMake, once by pkg-config.
# Usage: install_test.sh BUILD_DIRECTORY SOURCE_DIRECTORY CXX CXX_FLAGS
set -eu
build=$1 source=$2 cxx=$3 flags=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/prefix" >"$work/install.log"

# What the consumer must say of a sound image, of one with the COPIED bit of an L1 entry cleared, and of an
# empty file, which is no image: 0 sound, 2 corruption, 3 unchecked; and that it repairs the second.
expect() {
  wanted=$1
  shift
  status=0
  "$@" >"$work/out" 2>&1 || status=$?
  [ "$status" -eq "$wanted" ] || { echo "$*: exit status $status, expected $wanted"; cat "$work/out"; exit 1; }
}
try_consumer() {
  : >"$work/empty"
  rm -f "$work"/*.qcow2*
  qemu-img create -q -f qcow2 -o preallocation=metadata "$work/image.qcow2" 1M
  expect 0 "$1" check "$work/image.qcow2"
  expect 3 "$1" check "$work/empty"
  l1_table=$((0x$(od -A n -t x1 -j 40 -N 8 "$work/image.qcow2" | tr -d ' ')))
  printf '\0' | dd of="$work/image.qcow2" bs=1 seek="$l1_table" conv=notrunc status=none
  expect 2 "$1" check "$work/image.qcow2"
  grep -qx l1/copied "$work/out"
  expect 0 "$1" repair "$work/image.qcow2"
  expect 0 "$1" check "$work/image.qcow2"
}

# A program may need any of the headers, and all at once.
(cd "$work/prefix/include/cowvet" && find . -name '*.h' -printf '#include <%P>\n') >"$work/all.cc"
"$cxx" -std=c++23 -fsyntax-only -I "$work/prefix/include/cowvet" "$work/all.cc"

cmake -S "$source/tests/install" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_CXX_COMPILER="$cxx" \
  -DCMAKE_CXX_FLAGS="$flags" >"$work/configure.log"
cmake --build "$work/cmake" >"$work/build.log" || { cat "$work/build.log"; exit 1; }
try_consumer "$work/cmake/consumer"

PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name cowvet.pc)")
export PKG_CONFIG_PATH
# shellcheck disable=SC2046,SC2086 # these are words
"$cxx" $flags -std=c++23 "$source/tests/install/consumer.cc" -o "$work/by-pkg-config" \
  $(pkg-config --cflags --libs cowvet) -Wl,-rpath,"$(pkg-config --variable=libdir cowvet)"
try_consumer "$work/by-pkg-config"

expect 0 "$work/prefix/bin/cowvet" --version
