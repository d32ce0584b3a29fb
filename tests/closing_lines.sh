#!/usr/bin/env bash
# What a run of ctest was made of, from its log: tests/closing_lines.sh BUILD_DIRECTORY
set -euo pipefail
log=$1/Testing/Temporary/LastTest.log

# The numbers in the lines that match, added up.
sum() { grep -aoE "$1" "$log" | grep -oE '[0-9]+' | awk '{sum += $1} END {print sum + 0}'; }

echo "$(grep -acE '^[0-9]+/[0-9]+ Testing: all/Recipes\.' "$log" || true) recipes"
echo "$(sum '[0-9]+ cases: ') matrix cases"
echo "$(sum '[0-9]+ crash states') crash states"
echo "$(sum '[0-9]+ fuzz inputs ran') fuzz executions"
