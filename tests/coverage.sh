#!/usr/bin/env bash
# Measures line and branch coverage of the parts that must not be wrong: format, analysis, planning and the
# transaction. Fails below 95 % of lines or 85 % of branches of any of them.
#
#   tests/coverage.sh [--files] [BUILD_DIRECTORY]
#
# Branches are the two ways of a condition; what calls may throw is left out (coverage_table.py says how).
#
# --files: a row for each file, too. Runs the test programs that reach these parts, without the tests that only
# compare with QEMU; builds with g++ and counts with gcov, in a directory of its own. Takes minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
files=()
if [ "${1:-}" = --files ]; then files=(--files); shift; fi
build=${1:-build-coverage}
suites=(format device catalogue analysis planning corpus matrix repair)

cmake -G Ninja -B "$build" -DCMAKE_BUILD_TYPE=Debug -DCOWVET_WERROR=OFF -DCOWVET_SANDBOX=OFF \
  -DCMAKE_CXX_FLAGS='--coverage -O1 -fprofile-update=atomic' >/dev/null
cmake --build "$build" --parallel 2 --target "${suites[@]/%/_test}" cowvet cowvet-repair
find "$build" -name '*.gcda' -delete
for suite in "${suites[@]}"; do
  "$build/tests/${suite}_test" --gtest_brief=1 --gtest_filter='-Qemu*:*/QemuProof*:RandomDamage*:*/PackCorpus*'
done
tests/coverage_table.py "${files[@]}" "$build" 95 85 checker/format checker/analysis checker/planning repair
