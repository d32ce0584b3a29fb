#!/usr/bin/env bash
# Fuzzes all targets with libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer, one after the other.
#
#   fuzz/run.sh --time SECONDS [--jobs N] [--target NAME]... [--build DIRECTORY] [--keep DIRECTORY]
#
# --time: for each target. --keep: where inputs that reach new code are kept from run to run, and inputs that
# were found to fail are left. Prints executions and coverage of each target; fails where anything was found.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=60 jobs=1 build=build-fuzz keep='' targets=()
while [ $# -gt 0 ]; do
  case $1 in
    --time) seconds=$2 ;;
    --jobs) jobs=$2 ;;
    --target) targets+=("$2") ;;
    --build) build=$2 ;;
    --keep) keep=$2 ;;
    *) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 1 ;;
  esac
  shift 2
done
[ ${#targets[@]} -gt 0 ] || targets=(check_bytes repair_image read_plan read_journal parse_recipe)
keep=${keep:-$build/kept}

cmake --preset fuzz -B "$build" >/dev/null
cmake --build "$build" --parallel 2 --target cowvet-fuzz-seeds "${targets[@]/#/fuzz-}" >"$build/log" || { tail -30 "$build/log"; exit 1; }
"$build/fuzz/cowvet-fuzz-seeds" "$build/seeds" >/dev/null

export ASAN_OPTIONS=quarantine_size_mb=16:allocator_release_to_os_interval_ms=500
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
status=0 total=0
for target in "${targets[@]}"; do
  mkdir -p "$keep/$target" "$keep/found"
  log=$keep/$target.log
  # What an input may cost is in fuzz/bounds.h; the limits here are for inputs that never end.
  "$build/fuzz/fuzz-$target" "$keep/$target" "$build/seeds/$target" -max_total_time="$seconds" -timeout=60 \
    -malloc_limit_mb=64 -rss_limit_mb=1024 -max_len=524288 -print_final_stats=1 -jobs=$((jobs > 1 ? jobs : 0)) \
    -workers="$jobs" -artifact_prefix="$keep/found/$target-" >"$log" 2>&1 || status=1
  if [ "$jobs" -gt 1 ]; then cat fuzz-[0-9]*.log >>"$log" && rm -f fuzz-[0-9]*.log; fi
  runs=$(awk '/stat::number_of_executed_units/ {sum += $2} END {print sum + 0}' "$log")
  coverage=$(awk '/ cov: / {for (i = 1; i < NF; i++) if ($i == "cov:" && $(i + 1) > most) most = $(i + 1)} END {print most + 0}' "$log")
  total=$((total + runs))
  echo "$target: $runs executions, $coverage edges covered"
  grep -E 'SUMMARY|Test unit written' "$log" || true
done
echo "$total fuzz executions ran"
exit $status
