# Completion for cowvet and cowvet-repair in fish. The programs say themselves what commands and options they have.

function __cowvet_commands
    cowvet help 2>/dev/null | string match -rg '^  ([a-z]+) +(.*)' | paste - - 2>/dev/null
end

function __cowvet_rules
    cowvet explain --list 2>/dev/null | string match -rg '^(\S+)'
end

# "--option<TAB>what it does" of the command on the line.
function __cowvet_options
    set -l words (commandline -opc)
    set -l program $words[1]
    test (path basename -- $program) = cowvet; and set -a program $words[2]
    $program --help 2>/dev/null | string match -rg '^  (?:-[A-Za-z], |    )?(--[a-z-]+)[^ ]*(?: [A-Z=]+)? +(.*)' | paste - -
end

function __cowvet_has_command
    set -l words (commandline -opc)
    test (count $words) -gt 1
end

complete -c cowvet -n 'not __cowvet_has_command' -f -a '(__cowvet_commands)'
complete -c cowvet -n '__cowvet_has_command; and string match -q -- "-*" (commandline -ct)' -f -a '(__cowvet_options)'
complete -c cowvet -n '__fish_seen_subcommand_from explain' -f -a '(__cowvet_rules)'
complete -c cowvet-repair -n 'string match -q -- "-*" (commandline -ct)' -f -a '(__cowvet_options)'
complete -c cowvet -n '__fish_seen_subcommand_from check' -l output -x -a 'human json jsonl junit sarif'
complete -c cowvet -n '__fish_seen_subcommand_from check' -l policy -r -F -a preboot
