#!/usr/bin/env python3
"""Time off the CPU and in interrupts inside calls, out of what trace-cmd prints of a trace.dat.

    trace-cmd report -t -R TRACE | time_away.py     a line a function: calls, those whose off-CPU time is
                                                    known, it in ns, in how many, irq ns, in how many

Written for the tests, from the definition alone: every call is held against every interval of its task. Nothing of it is
shared with pinstat, which keeps running totals.
"""
import collections
import re
import sys

LINE = re.compile(r"^\s*(?:\S+:\s+)?(.*)-(\d+)\s+\[(\d+)\]\s+(?:\S+\s+)?(\d+)\.(\d{9}):\s+(\w+):\s*(.*)$")
SOURCES = ["irq_handler", "softirq", "local_timer", "reschedule", "call_function_single", "call_function",
           "irq_work"]


def field(text, name):
    return re.search(r"\b%s=(\S+)" % name, text).group(1)


def main():
    calls = []                                  # (function, task, entry, exit)
    open_calls = collections.defaultdict(list)  # task -> [(depth, function, entry)]
    away = collections.defaultdict(list)        # task -> [(out, in)]
    out_since = {}
    interrupts = collections.defaultdict(list)  # task -> [(entry, exit)]
    open_interrupts = collections.defaultdict(list)
    for line in sys.stdin:
        found = LINE.match(line)
        if not found:
            continue
        _, pid, cpu, seconds, fraction, event, rest = found.groups()
        time = int(seconds) * 10**9 + int(fraction)

        def task(number):
            # The idle task is another one on every CPU.
            return (0, int(cpu)) if int(number) == 0 else (int(number), -1)

        me = task(pid)
        if event == "funcgraph_entry":
            open_calls[me].append((int(field(rest, "depth")), field(rest, "func"), time))
        elif event == "funcgraph_exit":
            depth, function = int(field(rest, "depth")), field(rest, "func")
            while open_calls[me] and open_calls[me][-1][0] > depth:
                open_calls[me].pop()
            if open_calls[me] and open_calls[me][-1][:2] == (depth, function):
                calls.append((function, me, open_calls[me].pop()[2], time))
        elif event == "sched_switch":
            out_since[task(field(rest, "prev_pid"))] = time
            comes = task(field(rest, "next_pid"))
            if comes in out_since:
                away[comes].append((out_since.pop(comes), time))
        else:
            for source in SOURCES:
                if event == source + "_entry":
                    open_interrupts[me].append((source, time))
                elif event == source + "_exit" and open_interrupts[me]:
                    assert open_interrupts[me][-1][0] == source, line
                    interrupts[me].append((open_interrupts[me].pop()[1], time))

    for me, time in out_since.items():
        away[me].append((time, float("inf")))

    sums = collections.defaultdict(lambda: [0, 0, 0, 0, 0, 0])
    for function, me, entry, exit in calls:
        sums[function][0] += 1
        # It returned while its task was away by the records: a function around the record itself.
        is_known = not any(entry < a <= exit < b for a, b in away[me])
        sums[function][5] += not is_known
        off = sum(b - a for a, b in away[me] if is_known and entry <= a and b <= exit)
        inside = [(a, b) for a, b in interrupts[me] if entry <= a and b <= exit]
        # Only the outermost of those that lie inside.
        outer = [(a, b) for a, b in inside
                 if not any((c, d) != (a, b) and c <= a and b <= d for c, d in inside)]
        irq = sum(b - a for a, b in outer)
        row = sums[function]
        row[1] += off
        row[2] += off > 0
        row[3] += irq
        row[4] += irq > 0
    for function, (count, off, off_calls, irq, irq_calls, unknown) in sorted(sums.items()):
        print(function, count, count - unknown, off, off_calls, irq, irq_calls)


main()
