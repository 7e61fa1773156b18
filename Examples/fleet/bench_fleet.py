#!/usr/bin/env python3
"""Files a second that a fleet's job reads, by pinstat and by `trace-cmd report`, on one core and on two.

    bench_fleet.py --pinstat FILE [--files 400] [--runs 3]

The same job (fleet.py's Pinstat, a thread a core, several files a process call) is run over the same files twice: with pinstat, and
with a program in its place that reads each file with `trace-cmd report` and adds up with awk what it prints. Taken in turn; the median of the
runs. It measures what a worker does with a trace: Spark's own start and its shuffles come on top, of both alike. Files: 1.6 MB captures as they
come off a host (trace.dat v7, zstd), copied, each with the host's own place in the page cache.
"""

import argparse
import concurrent.futures
import os
import shutil
import stat
import statistics
import subprocess
import sys
import tempfile
import time

import fleet

HERE = os.path.dirname(os.path.abspath(__file__))
CAPTURES = [os.path.join(HERE, "..", "..", "Fixtures", "traces", f"{kernel}-seed-8g-2m.dat") for kernel in ("6.17", "6.18")]
HOSTS = 5_000

# A line of JSON a file, as small as fleet.py can take: count and sum of what trace-cmd prints.
PEER = r"""#!/bin/bash
while [ "$1" != -- ]; do shift; done
shift
for file; do
  trace-cmd report -i "$file" -F funcgraph_entry -F funcgraph_exit 2>/dev/null | awk -v path="$file" '
    /vfio_pin_map_dma\(\);/ { for (i = 1; i < NF; i++) if ($(i + 1) == "us") { n++; sum += $i } }
    END { printf "{\"runs\":[{\"path\":\"%s\",\"host\":\"x\",\"calls\":%d,\"us\":%.3f}],\"failures\":[]}\n", path, n, sum }'
done
"""


def job(program, paths, cores):
    """Seconds over all paths, and CPU seconds."""
    worker = fleet.Pinstat(program, [], "host=([^/]+)/")
    before = os.times()
    start = time.monotonic()

    def task(part):
        return sum(1 for _ in worker.summaries([(path, path) for path in part]))

    with concurrent.futures.ThreadPoolExecutor(cores) as pool:
        done = sum(pool.map(task, fleet.batches(paths, fleet.BATCH)))
    seconds = time.monotonic() - start
    after = os.times()
    if done != len(paths):
        sys.exit("not every file has an answer")
    return seconds, (after.children_user - before.children_user) + (after.children_system - before.children_system)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pinstat", required=True)
    parser.add_argument("--files", type=int, default=400)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pinstat-fleet-") as folder:
        peer = os.path.join(folder, "peer")
        with open(peer, "w") as file:
            file.write(PEER)
        os.chmod(peer, os.stat(peer).st_mode | stat.S_IXUSR)
        paths = []
        for index in range(options.files):
            paths.append(os.path.join(folder, f"host=n{index:05}", "trace.dat"))
            os.mkdir(os.path.dirname(paths[-1]))
            shutil.copyfile(CAPTURES[index % 2], paths[-1])
        # The peer sees the same calls as pinstat does.
        shown = subprocess.run([peer, "--", *paths[:2]], stdout=subprocess.PIPE, text=True, check=True).stdout
        if shown.count('"calls":12,') != 2:
            sys.exit(f"the peer read something else: {shown}")
        few = paths[:max(2, options.files // 10)]
        print("| cores | pinstat files/s | CPU a file | trace-cmd report files/s | CPU a file | times as many (spread) | "
              f"{HOSTS:,} hosts, CPU time: pinstat | trace-cmd |")
        print("|---|---|---|---|---|---|---|---|")
        for cores in (1, 2):
            # One core means one: trace-cmd and awk would else run side by side.
            mask = sorted(os.sched_getaffinity(0))
            os.sched_setaffinity(0, mask[:cores])
            ours, theirs = [], []
            for _ in range(options.runs):
                ours.append(job(os.path.abspath(options.pinstat), paths, cores))
                theirs.append(job(peer, few, cores))
            os.sched_setaffinity(0, mask)
            a = [len(paths) / seconds for seconds, _ in ours]
            b = [len(few) / seconds for seconds, _ in theirs]
            ratios = sorted(x / y for x, y in zip(a, b))
            rate, peers = statistics.median(a), statistics.median(b)
            cpu = statistics.median(c for _, c in ours) / len(paths)
            peer_cpu = statistics.median(c for _, c in theirs) / len(few)
            print(f"| {cores} | {rate:.0f} | {cpu * 1e3:.1f} ms | {peers:.1f} | {peer_cpu * 1e3:.0f} ms | "
                  f"{statistics.median(ratios):.1f} ({ratios[0]:.1f} to {ratios[-1]:.1f}) | {HOSTS * cpu:.0f} s | "
                  f"{HOSTS * peer_cpu / 60:.1f} min |")


if __name__ == "__main__":
    main()
