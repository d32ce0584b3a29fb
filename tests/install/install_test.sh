#!/bin/sh
# Installs a build, then builds and runs a program with what was installed: once by CMake, once by pkg-config.
# Usage: install_test.sh BUILD_DIRECTORY SOURCE_DIRECTORY CXX CXX_FLAGS
set -eu
build=$1 source=$2 cxx=$3 flags=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/prefix" >"$work/install.log"

# An empty file is no qcow2 image: that is 3, "unchecked". A sound image is 0.
: >"$work/empty"
qemu-img create -q -f qcow2 "$work/sound.qcow2" 1M
expect() {
  status=0
  "$1" "$2" >"$work/out" || status=$?
  [ "$status" -eq "$3" ] || { echo "$1 $2: exit status $status, expected $3"; cat "$work/out"; exit 1; }
}

cmake -S "$source/tests/install" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_CXX_COMPILER="$cxx" \
  -DCMAKE_CXX_FLAGS="$flags" >"$work/configure.log"
cmake --build "$work/cmake" >"$work/build.log" || { cat "$work/build.log"; exit 1; }
expect "$work/cmake/consumer" "$work/sound.qcow2" 0
expect "$work/cmake/consumer" "$work/empty" 3

PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name cowvet.pc)")
export PKG_CONFIG_PATH
# shellcheck disable=SC2046 # these are words
"$cxx" $flags -std=c++23 "$source/tests/install/consumer.cc" -o "$work/by-pkg-config" \
  $(pkg-config --cflags --libs cowvet)
expect "$work/by-pkg-config" "$work/sound.qcow2" 0

expect "$work/prefix/bin/cowvet" --version 0
