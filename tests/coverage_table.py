#!/usr/bin/env python3
"""What share of lines and branches of the parts of cowvet the tests reached, from the counters of a build:
coverage_table.py BUILD_DIRECTORY LINES BRANCHES PART...

Prints a table, with --files one of all files, and fails where a part has less than LINES or BRANCHES percent.
A line of a header counts as reached where any object reached it. Left out of the branches: where a call goes on,
or throws, which is no decision of ours. gcov counts both ways out of each call that may throw; only the second
would make untested what nobody can test, only the first would make tested what decides nothing."""
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor


def counters_below(directory):
    for folder, _, names in os.walk(directory):
        yield from (os.path.join(folder, name) for name in names if name.endswith(".gcda"))


def read_counters(path):
    command = ["gcov", "--json-format", "--branch-probabilities", "--stdout", path]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in out.splitlines() if line.startswith("{")]


def decisions(branches):
    """The counts of a line's branches, by their number, without both ways out of calls that may throw: gcov
    lists the way on right before the throw."""
    for i, branch in enumerate(branches):
        goes_on = branch["fallthrough"] and i + 1 < len(branches) and branches[i + 1]["throw"]
        if not branch["throw"] and not goes_on:
            yield i, branch["count"]


def count(build):
    """{file: ({line: times}, {(line, branch): times})} of the programs' own objects"""
    files = {}
    counters = [path for part in ("checker", "repair") for path in counters_below(os.path.join(build, part))]
    with ThreadPoolExecutor(2) as pool:
        reports = [report for found in pool.map(read_counters, counters) for report in found]
    for report in reports:
        for file in report["files"]:
            path = os.path.relpath(os.path.join(report["current_working_directory"], file["file"]))
            lines, branches = files.setdefault(path, ({}, {}))
            for line in file["lines"]:
                at = line["line_number"]
                lines[at] = lines.get(at, 0) + line["count"]
                for i, times in decisions(line["branches"]):
                    branches[at, i] = branches.get((at, i), 0) + times
    return files


def share(counts):
    return 100 * sum(times > 0 for times in counts) / max(1, len(counts))


def row(name, files):
    lines = [times for lines, _ in files for times in lines.values()]
    branches = [times for _, branches in files for times in branches.values()]
    print(f"{name:48} {share(lines):6.1f} % of {len(lines):5} lines {share(branches):6.1f} % of {len(branches):5} branches")
    return len(lines) > 0, share(lines), share(branches)


def main():
    arguments = [word for word in sys.argv[1:] if word != "--files"]
    build, least_lines, least_branches, *parts = arguments
    good = True
    all_files = count(build)
    for part in parts:
        files = {path: counts for path, counts in all_files.items() if os.path.dirname(path) == part}
        for path in sorted(files) if "--files" in sys.argv else []:
            row("  " + path, [files[path]])
        any_lines, lines, branches = row(part, files.values())
        good = good and any_lines and lines >= float(least_lines) and branches >= float(least_branches)
    if not good:
        print(f"less than {least_lines} % of lines or {least_branches} % of branches")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
