#!/bin/sh
# Makes the manual pages of the programs from their --help: one for cowvet, one for each of its commands, one for
# cowvet-repair. That of the rules is the catalogue, and comes ready; that of policies was written.
# Usage: make_pages.sh DIRECTORY VERSION COWVET COWVET_REPAIR RULES_PAGE
set -eu
directory=$1 version=$2 cowvet=$3 repair=$4 rules=$5
here=$(dirname "$0")
rm -rf "$directory"
mkdir -p "$directory/man1" "$directory/man5" "$directory/man7" "$directory/man8"
# Pages are dated by what they are made from.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(stat -c %Y "$here/changelog")}
export SOURCE_DATE_EPOCH

# page SECTION NAME SUMMARY PROGRAM INCLUDED
page() {
  help2man --no-info --section="$1" --name="$3" --source="cowvet $version" --manual=cowvet \
    --version-string="$version" --include="$here/pages/$5.h2m" --output="$directory/man$1/$2.$1" "$4"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
page 1 cowvet 'examine qcow2 disk images' "$cowvet" cowvet
page 8 cowvet-repair 'repair qcow2 disk images' "$repair" cowvet-repair
ln -s "$repair" "$work/fsck.qcow2"
page 8 fsck.qcow2 'check and repair a qcow2 disk image as fsck(8) does' "$work/fsck.qcow2" command
"$cowvet" help | sed -n 's/^  \([a-z]\{1,\}\)  *\(.*\)/\1 \2/p' >"$work/commands"
while read -r command summary; do
  [ "$command" != help ] || continue
  printf '#!/bin/sh\nexec "%s" %s "$@"\n' "$cowvet" "$command" >"$work/cowvet-$command"
  chmod +x "$work/cowvet-$command"
  page 1 "cowvet-$command" "$summary" "$work/cowvet-$command" command
done <"$work/commands"
cp "$rules" "$directory/man7/"
date=$(date -u -d "@$SOURCE_DATE_EPOCH" '+%B %Y')
sed "s/@DATE@/$date/; s/@VERSION@/$version/" "$here/pages/cowvet-policy.5" >"$directory/man5/cowvet-policy.5"
gzip -9n "$directory"/man?/*
