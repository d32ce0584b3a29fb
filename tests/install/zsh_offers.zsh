# Prints what zsh offers behind a line. Usage: zsh -f zsh_offers.zsh COMPLETIONS LINE
zmodload zsh/zpty
zpty offers zsh -f -i
# The function that zsh calls with each batch of offers prints them.
zpty -w offers "PROMPT= RPROMPT= fpath=($1 \$fpath); autoload -U compinit; compinit -u -d \$HOME/.zcompdump"
zpty -w offers 'compadd() {
  local -a offered
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
  builtin compadd -O offered "$@"
  print -rl -- "<"${^offered}">"
  builtin compadd "$@"
}'
zpty -w offers 'list-only() { compstate[list]= compstate[insert]= }; compprefuncs=(); zstyle ":completion:*" completer _complete'
zpty -w offers 'bindkey "^I" complete-word; zle -C complete-word complete-word _main_complete; print READY'
local line
repeat 200; do
  zpty -r offers line || break
  [[ $line == READY* ]] && break
done
zpty -n -w offers "$2"$'\t'
sleep 1
while zpty -r -t offers line; do
  print -r -- $line
done | tr '\r' '\n' | sed -n 's/^.*<\([^>]*\)>.*$/\1/p'
zpty -d offers
