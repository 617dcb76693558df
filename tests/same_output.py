#!/usr/bin/env python3
"""Whether two builds of sipscan say the same about the same captures, byte for byte.

For a change that must not alter what users see: rename, move, make quicker. Needs Python 3.8 and nothing else.

    tests/same_output.py --old OLD --new target/release/sipscan samples more/*.pcap
    tests/same_output.py --old OLD --save kept samples       # runs the old program once
    tests/same_output.py --against kept --new target/release/sipscan samples

Every capture is shown to both programs as JSON, CSV, screen, long screen, first call, metrics and check; standard output, standard
error and exit codes are compared. Of what differs the first places are told: by path in JSON and CSV, by line elsewhere. Captures are
read in their own folder, so no output depends on where they lie; in kept outputs they are known by name and content.

--allow REGEX is for changes that are wanted: what it matches within a line is left out on both sides.

Exit code: 0 the same, 1 something differs, 2 could not.
"""

import argparse
import collections
import concurrent.futures
import csv
import gzip
import hashlib
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import time

ENDINGS = (".pcap", ".pcapng", ".cap", ".dmp", ".ntar", ".gz", ".zst", ".xz", ".lz4", ".bz2")
# First bytes of pcap in both byte orders and both precisions, pcapng, gzip, zstd, xz, lz4, bzip2.
MAGICS = tuple(
    bytes.fromhex(magic)
    for magic in "a1b2c3d4 d4c3b2a1 a1b23c4d 4d3cb2a1 0a0d0d0a 1f8b 28b52ffd fd377a58 04224d18 425a68".split()
)
# Seconds that one run may take.
RUN_SECONDS = 300
# Characters that are shown of one side of a difference.
SHOWN_CHARACTERS = 240

SCREEN = ["--no-progress", "--color", "never", "--width", "100"]
# What is asked of each program. The check reads its policy from standard input, so that it has the same name everywhere.
KINDS = {
    "json": ["--no-progress", "--json", "-"],
    "details": ["--no-progress", "--json", "-", "--details"],
    "csv": ["--no-progress", "--csv", "-"],
    "screen": SCREEN,
    "verbose": [*SCREEN, "-v"],
    "call": [*SCREEN, "--call", "1"],
    "metrics": [*SCREEN, "--metrics"],
    "check": ["check", "--no-progress", "--policy", "/dev/stdin", "--format", "json=-"],
}
POLICY = """
[metrics]
min_asr_percent = 50.0
max_pdd_p95_ms = 2000
max_retransmissions = 3

[allow]
codes = [486, 487]

[[expect]]
name = "calls are answered"
outcome = "completed"
codes = 200

[[expect]]
name = "ringing is quick"
max_pdd_ms = 1000
max_retransmissions = 0

[[expect]]
name = "answered calls run as they should"
calls = "answered"
allow_none = true
codec = ["PCMA", "PCMU"]
ended_by = ["caller", "callee"]
sequence = "INVITE 100? 18x* 200 ACK BYE 200"

[[expect]]
name = "the caller names its software"
[[expect.headers]]
name = "User-Agent"
"""


def main():
    arguments = parsed()
    captures = found(arguments.paths)
    if not captures:
        could_not("no capture found")
    kinds = arguments.only or list(KINDS)
    started = time.monotonic()
    tally = collections.Counter()
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for name, differences, counts in pool.map(lambda path: one(path, kinds, arguments), captures):
            tally.update(counts)
            tally["captures"] += 1
            if differences:
                tally["differing"] += 1
                if tally["differing"] <= arguments.limit:
                    print(f"{name}\n" + "\n".join(differences), flush=True)
    hidden = tally["differing"] - arguments.limit
    if hidden > 0:
        print(f"... and {hidden} more captures that differ: --limit")
    if arguments.save:
        print(f"what {arguments.old.name} says is kept in {arguments.save}")
    told(tally, kinds, time.monotonic() - started)
    sys.exit(2 if tally["unknown"] else 1 if tally["differing"] else 0)


def parsed():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("paths", nargs="+", type=pathlib.Path, metavar="PATH", help="captures, or folders of them at any depth")
    parser.add_argument("--old", type=pathlib.Path, metavar="PROGRAM", help="the program as it was")
    parser.add_argument("--new", type=pathlib.Path, metavar="PROGRAM", help="the program as it is")
    parser.add_argument("--save", type=pathlib.Path, metavar="DIR", help="keeps what the old program says")
    parser.add_argument("--against", type=pathlib.Path, metavar="DIR", help="takes what was kept, in place of an old program")
    parser.add_argument("--allow", action="append", default=[], type=re.compile, metavar="REGEX", help="leaves out what this matches")
    parser.add_argument("--only", action="append", choices=KINDS, metavar="KIND", help="compares this alone: " + ", ".join(KINDS))
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="captures at a time [2]")
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="captures whose differences are shown [20]")
    parser.add_argument("--lines", type=int, default=3, metavar="N", help="differences that are shown of an output [3]")
    arguments = parser.parse_args()
    if bool(arguments.old) == bool(arguments.against):
        parser.error("give either --old or --against")
    if not (arguments.new or arguments.save):
        parser.error("give --new, or --save to keep what the old program says")
    if arguments.save and not arguments.old:
        parser.error("--save keeps what the --old program says")
    for program in filter(None, (arguments.old, arguments.new)):
        if not os.access(program, os.X_OK) or program.is_dir():
            parser.error(f"{program} is no program")
    # Runs begin in the folders of the captures.
    arguments.old, arguments.new = (program and program.resolve() for program in (arguments.old, arguments.new))
    return arguments


def found(paths):
    """The captures that `paths` name, each once; what a folder holds besides is passed over."""
    captures = {}
    for path in paths:
        if not path.exists():
            could_not(f"{path}: there is no such file")
        members = sorted(path.rglob("*")) if path.is_dir() else [path]
        for member in members:
            if member.is_file() and (member == path or is_capture(member)):
                captures.setdefault(member.resolve(), member)
    return list(captures.values())


def is_capture(path):
    if path.name.lower().endswith(ENDINGS):
        return True
    with path.open("rb") as file:
        return file.read(6).startswith(MAGICS)


def one(path, kinds, arguments):
    """Name of a capture, what differs, and counts."""
    counts = collections.Counter()
    kept = f"{path.name}@{hashlib.sha256(path.read_bytes()).hexdigest()[:12]}.gz"
    if arguments.against:
        old = load(arguments.against / kept)
    else:
        old = {kind: run(arguments.old, path, kind) for kind in kinds}
    if arguments.save:
        save(arguments.save / kept, old)
    differences = []
    for kind in kinds if arguments.new else []:
        if kind not in old:
            counts["unknown"] += 1
            differences.append(f"  {kind}: {arguments.against} does not have it; run --old with --save on this capture")
            continue
        new = run(arguments.new, path, kind)
        counts["outputs"] += 1
        if new == old[kind]:
            continue
        lines = compared(kind, old[kind], new, arguments)
        counts[kind if lines else "allowed"] += 1
        differences.extend(lines)
    return str(path), differences, counts


def run(program, path, kind):
    """What a program says: exit code, standard output, standard error."""
    command = [program, *KINDS[kind], "--", path.name]
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "CLICOLOR_FORCE")}
    try:
        ended = subprocess.run(
            command,
            input=POLICY.encode() if kind == "check" else b"",
            capture_output=True,
            cwd=path.parent,
            env={**environment, "COLUMNS": "100"},
            timeout=RUN_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return ["none in time", "", ""]
    text = (stream.decode(errors="backslashreplace") for stream in (ended.stdout, ended.stderr))
    return [ended.returncode, *text]


def save(path, outputs):
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", compresslevel=1, encoding="utf-8") as file:
        json.dump(outputs, file)


def load(path):
    if not path.is_file():
        return {}
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return json.load(file)


def compared(kind, old, new, arguments):
    """Lines that tell how two outputs differ; none where all that differs is allowed."""
    allowed = lambda text: without(text, arguments.allow)
    lines = []
    if old[0] != new[0]:
        lines.append(f"  {kind}: exit code {old[0]} -> {new[0]}")
    for name, before, after in (("", old[1], new[1]), (", standard error", old[2], new[2])):
        if allowed(before) == allowed(after):
            continue
        places = None if name else structured(kind, before, after, allowed)
        places = places or by_line(before, after, allowed)
        lines.append(f"  {kind}{name}: differs in {counted(len(places), 'place')}")
        for place, one_side, other_side in places[: arguments.lines]:
            lines += [f"    {place}", *(f"      {sign} {shown}" for sign, shown in trimmed(one_side, other_side))]
    return lines


def without(text, expressions):
    """Text without what is allowed to differ, line by line."""
    if not expressions:
        return text
    lines = text.splitlines()
    for expression in expressions:
        lines = [expression.sub("", line) for line in lines]
    return "\n".join(lines)


def structured(kind, before, after, allowed):
    """Differences by path; `None` where one side is broken."""
    try:
        if kind == "csv":
            sides = [list(csv.DictReader(io.StringIO(text, newline=""), strict=True)) for text in (before, after)]
        elif kind in ("json", "details", "check"):
            sides = [json.loads(text) for text in (before, after)]
        else:
            return None
    except (ValueError, csv.Error):
        return None
    return list(walk("", *sides, allowed))


def walk(place, before, after, allowed):
    """Yields path, old and new text of each leaf that differs."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            inner = f"{place}.{key}" if place else str(key)
            if key in before and key in after:
                yield from walk(inner, before[key], after[key], allowed)
            else:
                yield inner, *(leaf(side[key]) if key in side else None for side in (before, after))
    elif isinstance(before, list) and isinstance(after, list):
        for number, pair in enumerate(zip(before, after)):
            yield from walk(f"{place}[{number}]", *pair, allowed)
        if len(before) != len(after):
            yield place or "rows", *(counted(len(side), "element") for side in (before, after))
    elif before != after or type(before) is not type(after):
        sides = leaf(before), leaf(after)
        if allowed(sides[0]) != allowed(sides[1]):
            yield place, *sides


def leaf(value):
    return json.dumps(value, ensure_ascii=False)


def by_line(before, after, allowed):
    """Line by line between what both have at the start and at the end."""
    old, new = before.splitlines(), after.splitlines()
    start = 0
    while start < min(len(old), len(new)) and allowed(old[start]) == allowed(new[start]):
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and allowed(old[-1 - end]) == allowed(new[-1 - end]):
        end += 1
    places = []
    for number in range(start, max(len(old), len(new)) - end):
        sides = [side[number] if number < len(side) - end else None for side in (old, new)]
        if None in sides or allowed(sides[0]) != allowed(sides[1]):
            places.append((f"line {number + 1}", *sides))
    # The same lines with other ends of lines, or an end that is missing.
    return places or [("bytes", f"{len(before)} characters", f"{len(after)} characters")]


def trimmed(before, after):
    """Both sides with their signs, from shortly before the first character that differs."""
    first = len(os.path.commonprefix([before or "", after or ""]))
    start = 0 if first < SHOWN_CHARACTERS // 2 else first - SHOWN_CHARACTERS // 4
    for sign, side in (("-", before), ("+", after)):
        if side is not None:
            shown = side[start : start + SHOWN_CHARACTERS].replace("\x1b", "\\x1b")
            yield sign, ("..." if start else "") + shown + ("..." if len(side) > start + SHOWN_CHARACTERS else "")


def told(tally, kinds, seconds):
    """Prints the totals."""
    print(f"{counted(tally['captures'], 'capture')}, {counted(tally['outputs'], 'output')} compared in {seconds:.0f} s")
    by_kind = [f"{kind} {tally[kind]}" for kind in kinds if tally[kind]]
    if tally["unknown"]:
        print(f"{counted(tally['unknown'], 'output')} not kept")
    if tally["allowed"]:
        print(f"{counted(tally['allowed'], 'output')} differ as --allow says")
    if by_kind:
        print(f"{counted(tally['differing'], 'capture')} differ: " + ", ".join(by_kind))
    elif tally["outputs"]:
        print("no difference" if not tally["allowed"] else "no other difference")


def could_not(why):
    print(f"same_output: {why}", file=sys.stderr)
    sys.exit(2)


def counted(count, noun):
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
