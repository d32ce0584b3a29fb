#!/usr/bin/env python3
"""What share of lines and branches of the parts of cowvet the tests reached:
coverage_table.py PROFILE LINES BRANCHES PART... -- PROGRAM...

Prints a table, with --files one of all files, with --missed the places not reached, and fails where a part has
less than LINES or BRANCHES percent. A branch is a way out of a condition of the source: true or false. Code of
headers and templates counts as reached where any program, or any instantiation, reached it."""
import collections
import json
import os
import subprocess
import sys


def export(profile, programs, *options):
    command = ["llvm-cov-19", "export", f"-instr-profile={profile}", *options, programs[0]]
    command += [f"-object={program}" for program in programs[1:]]
    # Standard error: functions that two programs, by different macros, have in two forms.
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout


def count(profile, programs):
    """{file: ({line: times}, {(line, column, outcome): times})}"""
    files = collections.defaultdict(lambda: (collections.Counter(), collections.Counter()))
    path = ""
    for row in export(profile, programs, "-format=lcov", "-skip-branches").splitlines():
        if row.startswith("SF:"):
            path = os.path.relpath(row[3:])
        elif row.startswith("DA:"):
            line, times = row[3:].split(",")[:2]
            files[path][0][int(line)] += int(times)
    report = json.loads(export(profile, programs, "-format=text", "-skip-functions", "-skip-expansions"))
    for file in report["data"][0]["files"]:
        branches = files[os.path.relpath(file["filename"])][1]
        for line, column, _, _, if_true, if_false, *_ in file["branches"]:
            branches[line, column, True] += if_true
            branches[line, column, False] += if_false
    return files


def share(counts):
    return 100 * sum(times > 0 for times in counts) / max(1, len(counts))


def row(name, files):
    lines = [times for lines, _ in files for times in lines.values()]
    branches = [times for _, branches in files for times in branches.values()]
    print(f"{name:48} {share(lines):6.1f} % of {len(lines):5} lines {share(branches):6.1f} % of {len(branches):5} branches")
    return len(lines) > 0, share(lines), share(branches)


def print_missed(path, lines, branches):
    for line in sorted(line for line, times in lines.items() if times == 0):
        print(f"{path}:{line}: never ran")
    for line, column, outcome in sorted(place for place, times in branches.items() if times == 0):
        if lines[line] > 0:
            print(f"{path}:{line}:{column}: never {str(outcome).lower()}")


def main():
    words = [word for word in sys.argv[1:] if word not in ("--files", "--missed")]
    profile, least_lines, least_branches, *parts = words[:words.index("--")]
    good = True
    all_files = count(profile, words[words.index("--") + 1:])
    for part in parts:
        files = {path: counts for path, counts in all_files.items() if os.path.dirname(path) == part}
        for path in sorted(files):
            if "--missed" in sys.argv:
                print_missed(path, *files[path])
            if "--files" in sys.argv:
                row("  " + path, [files[path]])
        any_lines, lines, branches = row(part, files.values())
        good = good and any_lines and lines >= float(least_lines) and branches >= float(least_branches)
    if not good:
        print(f"less than {least_lines} % of lines or {least_branches} % of branches")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
