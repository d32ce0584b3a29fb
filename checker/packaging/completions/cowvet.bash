# Completion for cowvet and cowvet-repair in bash. The programs say themselves what commands and options they have.

_cowvet_rules() {
  cowvet explain --list 2>/dev/null | sed 's/ .*//'
}

# The options of "$@", from its help.
_cowvet_options() {
  "$@" --help 2>/dev/null | sed -n 's/^  \(-[A-Za-z], \|    \|  *\)\?\(--[a-z-]*\).*/\2/p'
}

_cowvet() {
  local cur prev words cword
  _init_completion || return
  local program=$1 command=()
  if [[ ${program##*/} == cowvet ]]; then
    if ((cword == 1)); then
      COMPREPLY=($(compgen -W "$("$program" help 2>/dev/null | sed -n 's/^  \([a-z]*\) .*/\1/p') --help --version" -- "$cur"))
      return
    fi
    command=("${words[1]}")
  fi
  case $prev in
    --policy)
      COMPREPLY=($(compgen -W preboot -- "$cur"))
      local words_of_policy=("${COMPREPLY[@]}")
      _filedir
      COMPREPLY+=("${words_of_policy[@]}")
      ;;
    --output)
      if [[ ${command[*]} == check ]]; then
        COMPREPLY=($(compgen -W 'human json jsonl junit sarif' -- "$cur"))
      else
        _filedir
      fi
      ;;
    --allow) COMPREPLY=($(compgen -W 'metadata lossy' -- "$cur")) ;;
    --only | --choose) COMPREPLY=($(compgen -W "$(_cowvet_rules)" -- "$cur")) ;;
    --follow) _filedir -d ;;
    -f | --format) COMPREPLY=($(compgen -W qcow2 -- "$cur")) ;;
    *)
      if [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W "$(_cowvet_options "$program" "${command[@]}")" -- "$cur"))
      elif [[ ${command[*]} == explain ]]; then
        COMPREPLY=($(compgen -W "$(_cowvet_rules)" -- "$cur"))
      else
        _filedir
      fi
      ;;
  esac
}

complete -F _cowvet cowvet cowvet-repair
