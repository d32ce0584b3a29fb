#!/bin/bash
# The manual pages, the programs' --help and what the documents say of options are the same: the pages have every option
# that --help has and no other, the page about policies has the statements that cowvet takes, and the README, the pages
# and the files for hosts and jobs name no option that neither program has.
# Usage: pages_test.sh SOURCE_DIRECTORY MANUAL_DIRECTORY COWVET COWVET_REPAIR
set -eu
source=$1 manual=$2 cowvet=$3 repair=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
complain() { echo "$*"; failed=1; }
# same WHAT A B: two files with a word each line.
same() { diff <(sort -u "$2") <(sort -u "$3") >"$work/difference" || complain "$1 differ:" "$(grep '^[<>]' "$work/difference")"; }

# Options in the lines that begin with one; "-x, --xyz" are two.
options_in() { grep -oE '^ *(-[A-Za-z], )?--?[A-Za-z][A-Za-z-]*' | grep -oE -- '--?[A-Za-z][A-Za-z-]*' || true; }
text_of() { mandoc -T ascii -O width=200 "$1" | sed 's/.\x08//g'; } # without overstriking
known=$work/known
: >"$known"
# page FILE COMMAND...
page() {
  local file=$manual/$1
  shift
  "$@" --help | options_in >"$work/help"
  [ -s "$work/help" ] || complain "'$*' lists no options"
  text_of "$file" | sed -n '/^OPTIONS/,/^[A-Z]/p' | options_in >"$work/page"
  same "The options of '$*' (<) and of its page (>)" "$work/help" "$work/page"
  cat "$work/help" >>"$known"
}
for command in $("$cowvet" help | sed -n 's/^  \([a-z]\{1,\}\)  .*/\1/p'); do
  [ "$command" = help ] || page "man1/cowvet-$command.1.gz" "$cowvet" "$command"
done
page man8/cowvet-repair.8.gz "$repair"
ln -s "$repair" "$work/fsck.qcow2"
page man8/fsck.qcow2.8.gz "$work/fsck.qcow2"
"$cowvet" --help | options_in >>"$known"
echo --version >>"$known"

# Lines that speak of another program's options are left out.
others='cmake|ctest|cpack|qemu-img|cowvet-bench|--table|systemctl|sbatch|parallel|kubectl|xmllint|#SBATCH|--env|--disk-only'
for document in "$source/README.md" "$manual"/man?/*.gz "$source"/checker/share/*/*; do
  if [[ $document == *.gz ]]; then text_of "$document"; else cat "$document"; fi |
    grep -vE "$others" | grep -oE '(^|[^-A-Za-z0-9])--[a-z][a-z-]+' | grep -oE -- '--[a-z-]+' |
    sort -u | grep -vxFf "$known" | sed "s|.*|${document##*/}: no program has the option &|" >"$work/unknown" || true
  [ ! -s "$work/unknown" ] || complain "$(cat "$work/unknown")"
done

# Statements of policies: those in the page, and those in the source.
text_of "$manual/man5/cowvet-policy.5.gz" | sed -n '/^FORMAT/,/^[A-Z]/p' |
  sed -n 's/^ *\(\(allow\|refuse\|limit\) [a-z-]*\).*/\1/p' >"$work/page"
awk -F'"' '/verb == "/ { verb = $2 } /what == "/ { print verb, $2 }' "$source/checker/policy/policy.cc" >"$work/source"
[ "$(wc -l <"$work/source")" -ge 9 ] || complain 'no statements of policies in the source'
same 'Statements of policies in the source (<) and in the page (>)' "$work/source" "$work/page"
qemu-img create -q -f qcow2 "$work/image" 1M
while read -r statement; do
  case $statement in *file) argument=$work ;; limit*) argument=1 ;; *) argument= ;; esac
  echo "$statement $argument" >"$work/policy"
  status=0
  "$cowvet" check -q --policy "$work/policy" "$work/image" || status=$?
  [[ $status == [02] ]] || complain "'$statement' is not taken in a policy: status $status"
done <"$work/page"
exit $failed
