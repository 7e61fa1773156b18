#!/usr/bin/env python3
"""pinstat against other readers of the same traces, in one run and pair by pair.

    bench.py --pinstat PATH [--size 380M] [--runs 5] [--only TEXT] [--json FILE] [--markdown FILE]

Each row runs two commands in turn (A B A B ...) after one turn that does not count, and takes the ratio of each pair:
what slows the machine down slows both. Short ones get more pairs, up to five times as many, until they have taken
six seconds. A ratio is the median of the pairs' ratios, its spread the smallest and the largest. Wall time is a monotonic
clock around the process, which is started without a shell unless it is a pipeline; CPU time and peak memory are the system's
own account of it. Output goes to /dev/null, except where it is a pipeline's.

Inputs are made by make_inputs.py in ${XDG_CACHE_HOME:-~/.cache}/pinstat-bench. Each is read before each run, unmeasured,
so that it is in the page cache: a machine with a balloon loses pages while a slow peer runs. With several sizes (`--size 380M,1G`) rows for growth compare the first and the last.
"""

import argparse
import concurrent.futures
import datetime
import json
import os
import platform
import re
import shlex
import shutil
import statistics
import subprocess
import sys
import time

import make_inputs

HERE = os.path.dirname(os.path.abspath(__file__))
FUNCTION = make_inputs.FUNCTION
NOTHING = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
           (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)]


class Row:
    """`a` is pinstat; `b` the peer. `goal` holds for `kind`: b/a at least (faster), a/b at most (within)."""

    def __init__(self, name, a, b, peer, kind=None, goal=None):
        self.name, self.a, self.b, self.peer, self.kind, self.goal = name, a, b, peer, kind, goal


def run(command, cache):
    """Wall seconds, CPU seconds, peak KiB of one run of a shell command whose inputs lie in the folder `cache`: a program
    behind `exec`, or a pipeline. (`trace-cmd --version` says it, and ends with 1.)"""
    inputs = {word for word in command.split() if word.startswith(cache + os.sep)}
    subprocess.run(["cat", *sorted(inputs)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    # A shell takes as long to start as the fastest of these programs.
    words = shlex.split(command)
    words = words[1:] if words[0] == "exec" else ["/bin/sh", "-c", command]
    start = time.monotonic()
    process = os.posix_spawnp(words[0], words, os.environ, file_actions=NOTHING)
    _, status, usage = os.wait4(process, 0)
    wall = time.monotonic() - start
    code = os.waitstatus_to_exitcode(status)
    if code != 0 and words[1:] != ["--version"]:
        sys.exit(f"bench: exit {code} of: {command}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def measure(row, runs, cache):
    run(row.a, cache), run(row.b, cache)
    pairs = []
    while len(pairs) < runs or len(pairs) < 5 * runs and sum(x[0] + y[0] for x, y in pairs) < 6:
        pairs.append((run(row.a, cache), run(row.b, cache)))
    a, b = zip(*pairs)
    ratios = [y[0] / x[0] for x, y in pairs] if row.kind == "faster" else [x[0] / y[0] for x, y in pairs]
    middle = lambda values, index: statistics.median(value[index] for value in values)
    result = {
        "work": row.name, "peer": row.peer, "kind": row.kind, "target": row.goal,
        "ratio": statistics.median(ratios), "ratio_min": min(ratios), "ratio_max": max(ratios), "pairs": len(pairs),
        "pinstat": {"wall_s": middle(a, 0), "cpu_s": middle(a, 1), "peak_mib": middle(a, 2) / 1024},
        "peer_figures": {"wall_s": middle(b, 0), "cpu_s": middle(b, 1), "peak_mib": middle(b, 2) / 1024},
        "commands": [row.a, row.b],
    }
    if row.goal is not None:
        result["met"] = result["ratio"] >= row.goal if row.kind == "faster" else result["ratio"] <= row.goal
    return result


def rows(pinstat, tools, sizes, paths):
    p, one = pinstat, f"-f {FUNCTION}"
    first = paths[sizes[0]]
    yield Row("version", f"exec {p} --version", "exec trace-cmd --version", "trace-cmd --version", "within", 3)
    yield Row("small trace.dat", f"exec {p} analyze {first['small']}", f"exec trace-cmd report -i {first['small']}",
              "trace-cmd report", "faster", 10)
    twelve = first["twelve"]
    yield Row("small trace.dat, 12 calls alone", f"exec {p} analyze {twelve}", f"exec trace-cmd report -i {twelve}",
              "trace-cmd report", "faster", 10)
    twenty = " ".join([first["small"]] * 20)
    yield Row("compare of 2 x 20 small files", f"exec {p} compare --before {twenty} --after {twenty}",
              f"for f in {twenty} {twenty}; do trace-cmd report -i $f; done | awk '/funcgraph_exit/ {{ s += $5 }}'",
              "trace-cmd report | awk", "faster", 20)
    for size in sizes:
        dat, zstd = paths[size]["dat"], paths[size]["zstd"]
        yield Row(f"trace.dat {size}, one function", f"exec {p} analyze {one} {dat}",
                  f"trace-cmd report -i {dat} | awk '/{FUNCTION}/ {{ n++ }} END {{ print n }}'", "trace-cmd report | awk",
                  "faster", 300)
        yield Row(f"trace.dat {size}, one function", f"exec {p} analyze {one} {dat}",
                  f"exec {tools}/tracecmd_reader {dat} {FUNCTION}", "C on libtracecmd", "faster", 30)
        yield Row(f"trace.dat {size}, one function", f"exec {p} analyze {one} {dat}",
                  f"exec dd if={dat} of=/dev/null bs=1M", "bare read (dd)", "within", 2)
        yield Row(f"trace.dat {size} zstd, one function", f"exec {p} analyze {one} {zstd}",
                  f"exec {tools}/inflate {zstd}", "decompressing alone", "within", 1.5)
        if size == sizes[0]:
            zlib = paths[size]["zlib"]
            with open(paths[size]["chunks"]) as file:
                chunks = " ".join(file.read().split())
            yield Row(f"trace.dat {size} zlib, one function", f"exec {p} analyze {one} {zlib}",
                      f"exec {tools}/inflate {zlib} {chunks}", "decompressing alone", "within", 1.5)
        yield Row(f"trace.dat {size}, one function, 2 cores", f"exec {p} analyze {one} --jobs 2 {dat}",
                  f"exec {p} analyze {one} --jobs 1 {dat}", "1 core", "faster", 1.8)
    dat, report, tracefs = first["dat"], first["report"], first["tracefs"]
    size = sizes[0]
    yield Row(f"trace.dat {size}, all functions, callees", f"exec {p} analyze --all-functions --callees {dat}",
              f"exec trace-cmd report --profile -i {dat}", "trace-cmd report --profile", "faster", 20)
    yield Row(f"trace.dat {size}, all functions, 2 cores", f"exec {p} analyze --all-functions --callees --jobs 2 {dat}",
              f"exec {p} analyze --all-functions --callees --jobs 1 {dat}", "1 core", "faster", 1.8)
    moving = first["moving"]
    yield Row(f"trace.dat {size}, tasks that move, one function", f"exec {p} analyze {one} {moving}",
              f"exec {tools}/tracecmd_reader {moving} {FUNCTION}", "C on libtracecmd", "faster", 30)
    yield Row(f"trace.dat {size}, tasks that move, all functions, callees",
              f"exec {p} analyze --all-functions --callees {moving}",
              f"exec trace-cmd report --profile -i {moving}", "trace-cmd report --profile", "faster", 20)
    process, alone = first["process"], first["filter"]
    yield Row(f"trace.dat {size} of one process, one function", f"exec {p} analyze {one} {process}",
              f"exec {tools}/tracecmd_reader {process} {FUNCTION}", "C on libtracecmd", "faster", 30)
    yield Row(f"trace.dat {size} of one process, all functions, callees",
              f"exec {p} analyze --all-functions --callees {process}",
              f"exec trace-cmd report --profile -i {process}", "trace-cmd report --profile", "faster", 20)
    yield Row(f"trace.dat {size} of one function alone", f"exec {p} analyze {one} {alone}",
              f"exec {tools}/tracecmd_reader {alone} {FUNCTION}", "C on libtracecmd", "faster", 30)
    # What the machine itself gives: two processors of a virtual machine may be one core's threads, or others' too.
    sums = "mawk 'BEGIN { for (i = 0; i < 4000000; i++) s += i * i; print s }'"
    yield Row("two processes at once (no pinstat)", f"{sums} & {sums} & wait", f"{sums}; {sums}",
              "one after the other", "faster", None)
    yield Row(f"trace.dat {size}, export of all calls", f"exec {p} export --all-functions {dat}",
              f"exec trace-cmd report -i {dat}", "trace-cmd report", "faster", 10)
    yield Row(f"trace.dat {size}, tasks that move, export of all calls", f"exec {p} export --all-functions {moving}",
              f"exec trace-cmd report -i {moving}", "trace-cmd report", "faster", 10)
    yield Row(f"trace.dat {size}, export of one function", f"exec {p} export {one} {dat}",
              f"exec {tools}/tracecmd_reader {dat} {FUNCTION}", "C on libtracecmd", "faster", 10)
    yield Row(f"tracefs text of {size}, export of one function", f"exec {p} export {one} {tracefs}",
              f"exec rg {FUNCTION} {tracefs}", "rg", "within", 2)
    for name, text, column in (("tracefs text", tracefs, "$2"), ("report text", report, "$6"),
                               ("text with times and tasks", first["columns"], "$6"),
                               ("text with return values", first["values"], "$2"),
                               ("report with other events", first["events"], "$6")):
        yield Row(f"{name} of {size}, one function", f"exec {p} analyze {one} {text}",
                  f"exec rg -c {FUNCTION} {text}", "rg -c", "within", 2)
        yield Row(f"{name} of {size}, all functions", f"exec {p} analyze --all-functions {text}",
                  f"exec mawk '{{ s += {column} }} END {{ print s }}' {text}", "mawk, sum of a field", "faster", 6)
    for name, text, column in (("tracefs text", tracefs, "$2"), ("report text", report, "$6")):
        yield Row(f"{name} of {size}, all functions, callees", f"exec {p} analyze --all-functions --callees {text}",
                  f"exec mawk '{{ s += {column} }} END {{ print s }}' {text}", "mawk, sum of a field", "faster", 6)
    yield Row(f"report text of {size}, one function as JSON, with the times of its calls",
              f"exec {p} analyze {one} --format json {report}",
              f"exec mawk '{{ s += $6 }} END {{ print s }}' {report}", "mawk, sum of a field", "faster", 4)
    yield Row(f"report text of {size}, one function", f"exec {p} analyze {one} {report}",
              f"exec python3 {HERE}/sum_text.py {report} {FUNCTION}", "python3, regular expression", "faster", None)
    if len(sizes) > 1:
        a, b = sizes[-1], sizes[0]
        factor = make_inputs.byte_count(a) / make_inputs.byte_count(b)
        yield Row(f"trace.dat {a} against {b}", f"exec {p} analyze {one} {paths[a]['dat']}",
                  f"exec {p} analyze {one} {paths[b]['dat']}", "pinstat itself", "within", factor * 1.05)


def build_tools(folder):
    os.makedirs(folder, exist_ok=True)
    for name, package in (("tracecmd_reader", "libtracecmd"), ("inflate", "libzstd zlib")):
        source, target = f"{HERE}/{name}.c", f"{folder}/{name}"
        if os.path.exists(target) and os.path.getmtime(target) > os.path.getmtime(source):
            continue
        flags = subprocess.run(
            ["pkg-config", "--cflags", "--libs", *package.split()], stdout=subprocess.PIPE, check=True, text=True).stdout.split()
        subprocess.run(["cc", "-O2", "-Wall", "-o", target, source, *flags], check=True)


def machine():
    model = ""
    with open("/proc/cpuinfo") as file:
        found = re.search(r"model name\s*:\s*(.*)", file.read())
        model = found.group(1) if found else platform.machine()
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}"


def seconds(value):
    return f"{value * 1000:.1f} ms" if value < 1 else f"{value:.2f} s"


def table(results):
    head = ["work", "against", "ratio (spread)", "target", "pinstat wall / CPU", "peak", "peer wall / CPU", "peak"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for r in results:
        unit = " times faster" if r["kind"] == "faster" else " times its time"
        ours, peers = r["pinstat"], r["peer_figures"]
        goal = "" if r["target"] is None else f"{r['target']:.4g}, " + ("met" if r["met"] else "missed")
        lines.append("| " + " | ".join([
            r["work"], r["peer"].replace("|", "\\|"), f"{r['ratio']:.3g}{unit} ({r['ratio_min']:.3g} to {r['ratio_max']:.3g})", goal,
            f"{seconds(ours['wall_s'])} / {seconds(ours['cpu_s'])}", f"{ours['peak_mib']:.0f} MiB",
            f"{seconds(peers['wall_s'])} / {seconds(peers['cpu_s'])}", f"{peers['peak_mib']:.0f} MiB"]) + " |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pinstat", required=True)
    parser.add_argument("--size", default="380M")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", default="", help="rows whose name or peer contains this")
    parser.add_argument("--json")
    parser.add_argument("--markdown")
    options = parser.parse_args()
    missing = [name for name in ("trace-cmd", "rg", "mawk", "cc", "dd") if not shutil.which(name)]
    if missing:
        sys.exit(f"bench: not on the PATH: {' '.join(missing)}; `make bench` installs them")

    cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "pinstat-bench")
    sizes = options.size.split(",")
    paths = {}
    for index, size in enumerate(sizes):
        wanted = ("moving", "process", "filter", "zstd", "zlib", "report", "tracefs", *make_inputs.TEXTS) if index == 0 else ("zstd",)
        # In a process of its own: what it takes would count for every child of this one.
        with concurrent.futures.ProcessPoolExecutor(1) as pool:
            paths[size] = pool.submit(make_inputs.make, cache, size, wanted).result()
    build_tools(cache)

    results = []
    for row in rows(options.pinstat, cache, sizes, paths):
        if options.only not in row.name + " " + row.peer:
            continue
        results.append(measure(row, options.runs, cache))
        print(table(results[-1:]).splitlines()[-1], flush=True)
    date = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")
    title = f"{date}, {machine()}, {options.runs} pairs a row, of short ones up to {5 * options.runs}"
    print("\n" + title + "\n\n" + table(results))
    if options.markdown:
        with open(options.markdown, "w") as file:
            file.write(title + "\n\n" + table(results) + "\n")
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"date": date, "machine": machine(), "runs": options.runs, "rows": results}, file, indent=2)


if __name__ == "__main__":
    main()
