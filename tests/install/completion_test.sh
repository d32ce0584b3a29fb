#!/bin/bash
# What bash, fish and zsh offer behind a few words.
# Usage: completion_test.sh SOURCE_DIRECTORY COWVET COWVET_REPAIR
set -eu
completions=$1/checker/packaging/completions
here=$1/tests/install
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"
ln -s "$2" "$work/bin/cowvet"
ln -s "$3" "$work/bin/cowvet-repair"
PATH=$work/bin:$PATH
cd "$work"

offers_of_bash() {
  bash --norc -c '
    source /usr/share/bash-completion/bash_completion
    source "$1/cowvet.bash"
    COMP_LINE=$2 COMP_POINT=${#2}
    read -ra COMP_WORDS <<<"$2"
    [[ $2 == *" " ]] && COMP_WORDS+=("")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _cowvet "${COMP_WORDS[0]}"
    printf "%s\n" "${COMPREPLY[@]}"' - "$completions" "$1"
}
offers_of_fish() {
  HOME=$work fish --no-config -c "source $completions/cowvet.fish; complete -C '$1'" | cut -f1
}
offers_of_zsh() {
  HOME=$work zsh -f "$here/zsh_offers.zsh" "$completions" "$1"
}

failed=0
# offers SHELL LINE WORD...: all of the words are among what is offered.
offers() {
  local shell=$1 line=$2 found
  shift 2
  found=$("offers_of_$shell" "$line" | tr -d '\r' | tr -s '[:space:]' '\n')
  for word in "$@"; do
    grep -qxF -- "$word" <<<"$found" || { echo "$shell: '$line' does not offer '$word', but: $found"; failed=1; }
  done
}
# What a command's help lists.
options_of() { "$@" --help | sed -n 's/^  *\(-[A-Za-z], \)\{0,1\}\(--[a-z-]*\).*/\2/p'; }
touch a.qcow2
for shell in bash fish zsh; do
  for command in check report triage; do
    # shellcheck disable=SC2046 # these are words
    offers $shell "cowvet $command --" $(options_of cowvet $command)
  done
  # shellcheck disable=SC2046
  offers $shell 'cowvet-repair --' $(options_of cowvet-repair)
  offers $shell 'cowvet check --output ' json sarif
  offers $shell 'cowvet check --policy ' preboot a.qcow2
  offers $shell 'cowvet check --evidence ' a.qcow2
  offers $shell 'cowvet ' check explain map
  offers $shell 'cowvet check --' --strict --max-memory --evidence --progress-fd --policy --timeout
  offers $shell 'cowvet-repair --' --undo --dry-run --progress-fd --output
  offers $shell 'cowvet explain refcount/' refcount/leak refcount/orphan-mapping
done
exit $failed
