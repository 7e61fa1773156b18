"""Reads what `pinstat export` writes as folded stacks and as a Chrome trace, and compares it with calls that are paired
here from the text of `trace-cmd report`.

usage: read_exports.py PINSTAT TRACE.dat [FUNCTION]
       read_exports.py PINSTAT --nesting TRACE...      (any trace: only that slices nest and lines are lines)

Prints calls, folded lines, nanoseconds in all, how many calls are drawn longer than they took, and by how much at
most; ends with 1 and a sentence where something differs.
"""

import collections
import json
import re
import subprocess
import sys

LINE = re.compile(
    r"^\s*(?P<comm>.+)-(?P<pid>\d+)\s+\[(?P<cpu>\d+)\](?:\s+\S+)?\s+(?P<time>\d+\.\d+):\s+"
    r"funcgraph_(?P<kind>entry|exit):\s*(?P<fields>.*)$")
FIELD = re.compile(r"(\w+)=(\S+)")


def fail(sentence):
    print(sentence)
    sys.exit(1)


def calls_of(path):
    """Calls out of the raw numbers of the records: per task a stack, by depth; only traces without losses."""
    run = subprocess.run(
        ["trace-cmd", "report", "-R", "-t", path], capture_output=True, text=True)
    stacks = collections.defaultdict(list)
    calls = []
    for line in run.stdout.splitlines():
        match = LINE.match(line)
        if not match:
            continue
        fields = dict(FIELD.findall(match["fields"]))
        pid, cpu = int(match["pid"]), int(match["cpu"])
        stack = stacks[(pid, cpu if pid == 0 else None)]
        depth = int(fields["depth"], 0)
        if match["kind"] == "entry":
            call = {"comm": match["comm"].strip(), "pid": pid, "function": fields["func"], "depth": depth,
                    "children": 0, "path": [c["function"] for c in stack] + [fields["func"]],
                    "start": int(match["time"].replace(".", ""))}
            if stack and depth <= stack[-1]["depth"]:
                fail(f"{path}: an entry of depth {depth} inside a call of depth {stack[-1]['depth']}")
            stack.append(call)
        else:
            if not stack or stack[-1]["depth"] != depth or stack[-1]["function"] != fields["func"]:
                fail(f"{path}: an exit without its entry: {line}")
            call = stack.pop()
            call["cpu"] = cpu
            call["duration"] = int(fields["rettime"], 16) - int(fields["calltime"], 16)
            call["self"] = call["duration"] - call["children"]
            call["end"] = int(match["time"].replace(".", ""))
            if stack:
                stack[-1]["children"] += call["duration"]
            calls.append(call)
    for stack in stacks.values():
        for call in stack:
            fail(f"{path}: {call['function']} has no exit")
    return calls


def nanoseconds(number):
    """Microseconds, as JSON has them, as whole nanoseconds. The text of the number is read, not a float."""
    sign = -1 if number.startswith("-") else 1
    whole, _, fraction = number.lstrip("-").partition(".")
    return sign * (int(whole) * 1000 + int((fraction + "000")[:3]))


def slices_of(text):
    """The complete events as Perfetto stacks them up: by start, a slice that overlaps its neighbour is an error."""
    document = json.loads(text, parse_float=str, parse_int=str)
    names = {}
    tracks = collections.defaultdict(list)
    for event in document["traceEvents"]:
        if event["ph"] == "M":
            if event["name"] == "thread_name":
                names[(event["pid"], event["tid"])] = event["args"]["name"]
            continue
        if event["ph"] != "X":
            fail(f"an event of kind {event['ph']}")
        start = nanoseconds(event["ts"])
        args = event["args"]
        tracks[(event["pid"], event["tid"])].append(
            {"name": event["name"], "start": start, "end": start + nanoseconds(event["dur"]),
             "duration": nanoseconds(args.get("duration_us", event["dur"])), "cpu": args.get("cpu"),
             "status": args.get("status", "complete"), "children": 0})
    slices = []
    for track, found in tracks.items():
        if track not in names:
            fail(f"track {track} has no name")
        found.sort(key=lambda slice: slice["start"])
        stack = []
        for slice in found:
            while stack and stack[-1]["end"] <= slice["start"]:
                stack.pop()
            if stack and (slice["end"] > stack[-1]["end"] or slice["start"] == stack[-1]["start"]):
                fail(f"{slice['name']} overlaps {stack[-1]['name']} on {names[track]}, at {slice['start']}")
            slice["track"] = names[track]
            slice["tid"] = track[1]
            slice["path"] = [s["name"] for s in stack] + [slice["name"]]
            if stack:
                stack[-1]["children"] += slice["duration"]
            stack.append(slice)
            slices.append(slice)
    return slices


def folded_of(text):
    result = collections.Counter()
    for line in text.splitlines():
        stack, value = line.rsplit(" ", 1)
        if not value.isdigit() or " " in stack:
            fail(f"no folded line: {line}")
        result[stack] += int(value)
    return result


def differing(what, found, expected):
    for key in list(expected) + list(found):
        if found.get(key, 0) != expected.get(key, 0):
            fail(f"{what}: {key}: {found.get(key, 0)} and not {expected.get(key, 0)}")


def nesting(pinstat, paths):
    for path in paths:
        def export(form):
            return subprocess.run([pinstat, "export", "--all-functions", "--format", form, "-q", path],
                                  capture_output=True, text=True)
        run = export("chrome")
        slices = slices_of(run.stdout)
        if not slices and run.returncode == 0:
            fail(f"{path}: no slices, and no word of it")
        stacks = folded_of(export("folded").stdout)
        print(path, run.returncode, len(slices), len(stacks))


def main():
    if sys.argv[2] == "--nesting":
        return nesting(sys.argv[1], sys.argv[3:])
    pinstat, path = sys.argv[1:3]
    selected = sys.argv[3] if len(sys.argv) > 3 else None
    choice = ["-f", selected] if selected else ["--all-functions"]

    def export(form):
        run = subprocess.run(
            [pinstat, "export", *choice, "--format", form, "-q", path], capture_output=True, text=True)
        if run.returncode != 0:
            fail(f"{form}: {run.stderr}")
        return run.stdout

    calls = calls_of(path)
    if selected:
        calls = [dict(call, path=call["path"][call["path"].index(selected):])
                 for call in calls if selected in call["path"]]
    if not calls:
        fail("no calls")

    slices = slices_of(export("chrome"))
    key = lambda comm, path: comm + ";" + ";".join(path)
    differing("chrome, calls of a path",
              collections.Counter((s["track"], tuple(s["path"])) for s in slices),
              collections.Counter((track_of(c), tuple(c["path"])) for c in calls))
    differing("chrome, durations",
              collections.Counter((s["track"], s["cpu"], s["name"], s["duration"]) for s in slices),
              collections.Counter((track_of(c), str(c["cpu"]), c["function"], c["duration"]) for c in calls))
    differing("chrome, own time of a path", sums((tuple(s["path"]), s["duration"] - s["children"]) for s in slices),
              sums((tuple(c["path"]), c["self"]) for c in calls))

    stacks = folded_of(export("folded"))
    own = sums((key(c["comm"].replace(" ", "_"), c["path"]), c["self"]) for c in calls)
    differing("folded", stacks, {path: time for path, time in own.items() if time > 0})
    top = sum(c["duration"] for c in calls if len(c["path"]) == 1)
    below = sum(time for time in own.values() if time < 0)
    if sum(stacks.values()) + below != top:
        fail(f"folded adds up to {sum(stacks.values())}, the outermost calls to {top} and {below} below zero")
    moved = [abs(s["end"] - s["start"] - s["duration"]) for s in slices]
    print(len(calls), len(stacks), top, sum(m > 0 for m in moved), max(moved))


def sums(pairs):
    result = collections.Counter()
    for key, time in pairs:
        result[key] += time
    return result


def track_of(call):
    if call["pid"] == 0:
        return f"<idle>, CPU {call['cpu']}"
    return f"{call['comm']}-{call['pid']}"


main()
