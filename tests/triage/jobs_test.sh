#!/bin/sh
# The job files of checker/share/jobs on a corpus of 40 images: by GNU parallel here and by ssh, and by Slurm on one node.
# The machine at the other end is always this one. All must give the table that one run gives.
# Usage: jobs_test.sh shard|parallel|ssh|slurm SOURCE_DIRECTORY COWVET
set -eu
engine=$1 jobs=$2/checker/share/jobs
COWVET=$3
export COWVET
work=$(mktemp -d)
. "$(dirname "$0")/slurm_node.sh"
. "$(dirname "$0")/ssh_server.sh"
trap 'stop_slurm; stop_ssh_server; rm -rf "$work"' EXIT
fail() { echo "$*" >&2; exit 1; }

mkdir -p "$work/corpus/sub"
qemu-img create -q -f qcow2 -o cluster_size=512 "$work/corpus/0" 64K
for number in $(seq 1 29); do cp "$work/corpus/0" "$work/corpus/sub/$number"; done
for number in $(seq 30 34); do head -c "$number" /dev/zero >"$work/corpus/$number"; done
# Their refcounts are gone: one byte of the refcount table.
for number in $(seq 35 39); do
  cp "$work/corpus/0" "$work/corpus/$number"
  dd if=/dev/zero of="$work/corpus/$number" bs=512 seek=1 count=1 conv=notrunc status=none
done
# run WANTED_STATUS COMMAND...
run() {
  wanted=$1 status=0
  shift
  "$@" || status=$?
  [ "$status" = "$wanted" ] || fail "$*: exit status $status, not $wanted"
}
run 2 "$COWVET" triage "$work/corpus" >"$work/whole"
grep -q '^40 images' "$work/whole"
same_table() { cmp "$work/whole" "$1" || fail "$engine: not the same table"; }

case $engine in
  shard)
    "$jobs/triage-shard" 1 2 "$work/corpus" "$work/results"
    run 1 "$COWVET" triage --merge "$work"/results/*.jsonl >/dev/null 2>&1
    "$jobs/triage-shard" 2 2 "$work/corpus" "$work/results"
    run 2 "$COWVET" triage --merge "$work"/results/*.jsonl >"$work/merged"
    same_table "$work/merged"
    # What is done is not done again, and what was cut off leaves nothing behind.
    COWVET=false "$jobs/triage-shard" 2 2 "$work/corpus" "$work/results"
    COWVET=false run 1 "$jobs/triage-shard" 1 3 "$work/corpus" "$work/results"
    [ "$(ls -A "$work/results" | wc -l)" = 2 ] || fail "something was left behind"
    ;;
  parallel)
    cd "$work"
    run 2 "$jobs/triage-parallel" 5 corpus results >"$work/merged.relative"
    [ "$(ls results | wc -l)" = 5 ] || fail "not 5 parts"
    # Parts are examined by their full names.
    sed "s,$work/,," "$work/merged.relative" >"$work/merged"
    sed -i "s,$work/,," "$work/whole"
    same_table "$work/merged"
    ;;
  ssh)
    start_ssh_server "$work/ssh" || { echo "skipped: $ssh_reason"; exit 77; }
    # As the file is used: a login that ssh knows; half of the parts go there, half stay here.
    run 2 "$jobs/triage-parallel" 4 "$work/corpus" "$work/results" "1/$ssh_login" >"$work/merged"
    same_table "$work/merged"
    [ "$(grep -c 'Accepted publickey' "$work/ssh/log")" -ge 4 ] || fail "it did not go by ssh"
    rm -r "$work/results"
    run 2 "$jobs/triage-parallel" 4 "$work/corpus" "$work/results" "1/$ssh_login,:" >"$work/merged"
    same_table "$work/merged"
    # A machine that does not answer: its parts are missing, and that is said.
    stop_ssh_server
    run 1 "$jobs/triage-parallel" 4 "$work/corpus" "$work/nothing" "1/$ssh_login" >"$work/out" 2>"$work/err"
    grep -q 'some parts were not examined' "$work/err" || fail "it does not say that parts are missing"
    ;;
  slurm)
    start_slurm "$work/slurm"
    TRIAGE_SHARD=$jobs/triage-shard
    export TRIAGE_SHARD
    timeout 120 sbatch --quiet --wait --array=1-4 --output=/dev/null "$jobs/triage.sbatch" "$work/corpus" "$work/results"
    run 2 "$COWVET" triage --merge "$work"/results/*-of-4.jsonl >"$work/merged"
    same_table "$work/merged"
    # A job that fails says so, and an array that does not begin at 1 has parts missing.
    run 1 timeout 120 sbatch --quiet --wait --array=2-4 --output=/dev/null "$jobs/triage.sbatch" "$work/corpus" "$work/other"
    [ ! -e "$work/other" ] || fail "an array without its first part has results"
    ;;
  *) fail "no such engine: $engine" ;;
esac
