#!/usr/bin/env bash
# Line and branch coverage of the parts that must not be wrong, by the tests that need neither a display nor
# root: tests/coverage.sh [BUILD_DIRECTORY]. Needs g++ and gcov.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=${1:-build-coverage}
suites=(format device catalogue analysis planning corpus matrix repair)

cmake -G Ninja -B "$build" -DCMAKE_BUILD_TYPE=Debug -DCOWVET_WERROR=OFF -DCOWVET_SANDBOX=OFF \
  -DCMAKE_CXX_FLAGS='--coverage -O1 -fprofile-update=atomic' >/dev/null
cmake --build "$build" --parallel 2 --target "${suites[@]/%/_test}" cowvet cowvet-repair
find "$build" -name '*.gcda' -delete
for suite in "${suites[@]}"; do "$build/tests/${suite}_test" --gtest_brief=1; done

# Branches that only throw are the compiler's, not ours.
count() {
  find "$build" -path "*$1*.gcda" -print0 | xargs -0 -r gcov --json-format --branch-probabilities --stdout 2>/dev/null |
    python3 -c '
import json, os, sys
lines, branches = {}, {}
for text in sys.stdin:
    if not text.startswith("{"): continue
    report = json.loads(text)
    for file in report["files"]:
        path = os.path.relpath(os.path.join(report["current_working_directory"], file["file"]))
        if not path.startswith(sys.argv[1] + "/"): continue
        for line in file["lines"]:
            at = (path, line["line_number"])
            lines[at] = lines.get(at, 0) + line["count"]
            for i, branch in enumerate(line["branches"]):
                if not branch["throw"]: branches[at + (i,)] = branches.get(at + (i,), 0) + branch["count"]
share = lambda counts: 100 * sum(c > 0 for c in counts.values()) / max(1, len(counts))
print(f"{sys.argv[1]}: {share(lines):.1f} % of {len(lines)} lines, {share(branches):.1f} % of {len(branches)} branches")
' "$1"
}
for part in checker/format checker/analysis checker/planning repair; do count "$part"; done
