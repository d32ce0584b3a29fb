#!/usr/bin/env bash
# Measures line and branch coverage of the parts that must not be wrong: format, analysis, planning and the
# transaction. Fails below 95 % of lines or 85 % of branches of any of them.
#
#   tests/coverage.sh [--files] [--missed] [BUILD_DIRECTORY]
#
# --files: a row for each file, too. --missed: the places that were not reached. Runs the test programs that
# reach these parts, without the tests that only compare with QEMU, or where another user cannot write counters.
# Builds with clang, whose counters know lines and conditions of the source, in a directory of its own
# (build-coverage). Takes minutes. Needs llvm-19.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
options=()
while [[ ${1:-} == --* ]]; do options+=("$1"); shift; done
build=$(realpath -m "${1:-build-coverage}")
suites=(format device catalogue analysis pack planning corpus matrix cli repair repair_cli)

test_programs=("${suites[@]/#/$build/tests/}")
test_programs=("${test_programs[@]/%/_test}")

cmake -G Ninja -B "$build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER=clang++-19 -DCOWVET_WERROR=OFF \
  -DCOWVET_SANDBOX=OFF -DCMAKE_CXX_FLAGS='-fprofile-instr-generate -fcoverage-mapping' >/dev/null
cmake --build "$build" --parallel 2 --target "${suites[@]/%/_test}" cowvet cowvet-repair >/dev/null

rm -rf "$build/profiles"
mkdir "$build/profiles"
run_shard() { # BUILD SUITE SHARD: one of eight parts of a suite
  LLVM_PROFILE_FILE="$1/profiles/%m-$2-$3.profraw" GTEST_TOTAL_SHARDS=8 GTEST_SHARD_INDEX=$3 \
    "$1/tests/$2_test" --gtest_brief=1 \
    --gtest_filter='-Qemu*:*/QemuProof*:RandomDamage*:*/PackCorpus*:*_without_rights_*'
}
export -f run_shard
for suite in "${suites[@]}"; do printf "$suite %s\n" {0..7}; done |
  xargs -P "$(nproc)" -L 1 bash -c 'run_shard "$0" "$@"' "$build"
llvm-profdata-19 merge -sparse -o "$build/profile" "$build"/profiles/*.profraw
tests/coverage_table.py "${options[@]}" "$build/profile" 95 85 \
  checker/format checker/analysis checker/planning repair -- \
  "$build/checker/cowvet" "$build/repair/cowvet-repair" "${test_programs[@]}"
