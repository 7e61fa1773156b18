#!/usr/bin/env python3
"""A fleet of a few hundred hosts, through Spark, DuckDB and one process: the answers are the same.

    PINSTAT=FILE python test_fleet.py        with the packages of requirements.txt; `make test-fleet` does both

The oracles: Datadog's DDSketch for Python reads our sketches and writes ones that we read; Spark and DuckDB add up the rows;
Python's own statistics and integers take the durations that `pinstat export` gives.
"""

import base64
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import unittest

import ddsketch
from ddsketch.pb import ddsketch_pb2
from ddsketch.pb.proto import DDSketchProto

import ask

HERE = os.path.dirname(os.path.abspath(__file__))
CAPTURES = [os.path.join(HERE, "..", "..", "Fixtures", "traces", f"{kernel}-seed-8g-2m.dat") for kernel in ("6.17", "6.18")]
PINSTAT = os.path.abspath(os.environ.get("PINSTAT", "pinstat"))
FUNCTION = "vfio_pin_map_dma"
HOSTS, WITHOUT, DAMAGED = 240, 4, 9


def pinstat(*arguments, status=0, **options):
    done = subprocess.run([PINSTAT, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    assert done.returncode == status, f"{arguments} ended with {done.returncode}: {done.stderr}"
    return done.stdout


def decoded(text):
    message = ddsketch_pb2.DDSketch()
    message.ParseFromString(base64.b64decode(text))
    return DDSketchProto.from_proto(message)


def spark(*arguments):
    environment = dict(os.environ, PYSPARK_PYTHON=sys.executable, SPARK_LOCAL_IP="127.0.0.1")
    done = subprocess.run(
        [sys.executable, os.path.join(HERE, "fleet.py"), "--pinstat", PINSTAT, *arguments], env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return done.returncode, done.stdout, done.stderr[-3000:]


class Fleet(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="pinstat-fleet-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.traces = os.path.join(cls.folder, "traces")
        subprocess.run(
            [sys.executable, os.path.join(HERE, "make_fleet.py"), "--hosts", str(HOSTS), "--without", str(WITHOUT),
             "--damaged", str(DAMAGED), "--seed", "7", "--out", cls.traces, *CAPTURES], check=True)
        cls.paths = sorted(os.path.join(folder, name) for folder, _, names in os.walk(cls.traces) for name in names)
        # One process over everything: 2, as some cannot be read.
        cls.lines = os.path.join(cls.folder, "lines.json")
        pinstat("analyze", "--format", "summary", "--quiet", "-o", cls.lines, *cls.paths, status=2)
        cls.whole = os.path.join(cls.folder, "whole.json")
        pinstat("merge", "--quiet", "-o", cls.whole, cls.lines)
        cls.sides = []
        for side, kernel in (("before", "6.17*"), ("after", "6.18*")):
            cls.sides.append(os.path.join(cls.folder, side + ".json"))
            pinstat("merge", "--quiet", "--kernel", kernel, "-o", cls.sides[-1], cls.whole)
        # What Python makes of the calls themselves.
        cls.durations = {}
        for host, kernel, path in cls.hosts():
            cls.durations[host] = [
                round(float(row.split(",")[9]) * 1000)
                for row in pinstat("export", "--quiet", path).splitlines()[1:] if row.endswith("complete")]

    @classmethod
    def hosts(cls):
        for index in range(HOSTS):
            host = f"n{index:05}"
            yield host, ("6.17", "6.18")[index % 2], os.path.join(cls.traces, f"host={host}", "trace.dat")

    def load(self, path):
        with open(path) as file:
            return json.load(file)

    def calls(self, kernel):
        return sorted(value for host, of, _ in self.hosts() if of == kernel for value in self.durations[host])

    # MARK: The sketch, both ways

    def test_datadogs_library_reads_our_sketches(self):
        document = self.load(self.whole)
        self.assertEqual(len(document["functions"]), 2)
        for function in document["functions"]:
            calls = self.calls(function["kernel"][:4])
            self.assertEqual(function["count"], len(calls))
            self.assertEqual(function["total_ns"], sum(calls))
            self.assertEqual((function["min_ns"], function["max_ns"]), (calls[0], calls[-1]))
            mean = sum(calls) / len(calls)
            self.assertAlmostEqual(
                function["squared_deviations_ns2"] / sum((value - mean) ** 2 for value in calls), 1, 9)
            theirs = decoded(function["ddsketch"])
            self.assertEqual(theirs.count, len(calls))
            for p, key in ((0.5, "p50_us"), (0.9, "p90_us"), (0.99, "p99_us")):
                exact = calls[int(p * (len(calls) - 1))]
                self.assertLessEqual(abs(theirs.get_quantile_value(p) - exact), exact * 0.005 * (1 + 1e-9))
                clamped = min(max(theirs.get_quantile_value(p), calls[0]), calls[-1])
                self.assertAlmostEqual(function[key] * 1000 / clamped, 1, 12)
            # One that their library makes of the calls has the same bins, and so merges with it.
            own = ddsketch.DDSketch(0.005)
            for value in calls:
                own.add(value)
            self.assertEqual(own._mapping.gamma, theirs._mapping.gamma)
            own.merge(theirs)
            self.assertEqual(own.count, 2 * len(calls))
            for p in (0.1, 0.5, 0.9):
                self.assertAlmostEqual(own.get_quantile_value(p) / theirs.get_quantile_value(p), 1, 12)

    def test_we_read_sketches_of_datadogs_library(self):
        document = self.load(self.whole)
        generator = random.Random(3)
        for function in document["functions"]:
            values = [generator.randint(function["min_ns"], function["max_ns"]) for _ in range(function["count"] - 2)]
            values += [function["min_ns"], function["max_ns"]]
            theirs = ddsketch.DDSketch(0.005)
            for value in values:
                theirs.add(value)
            function["ddsketch"] = base64.b64encode(DDSketchProto.to_proto(theirs).SerializeToString()).decode()
            function["total_ns"] = sum(values)
            function["expected"] = [theirs.get_quantile_value(p) for p in (0.5, 0.9, 0.99)]
        read = json.loads(pinstat("merge", "--quiet", "-", input=json.dumps(document, indent=2)))
        self.assertEqual(len(read["functions"]), 2)
        for function, given in zip(read["functions"], document["functions"]):
            for key, expected in zip(("p50_us", "p90_us", "p99_us"), given["expected"]):
                clamped = min(max(expected, given["min_ns"]), given["max_ns"])
                self.assertAlmostEqual(function[key] * 1000 / clamped, 1, 12)

    def test_the_analysis_carries_what_adds_up(self):
        host, _, path = next(self.hosts())
        function, = json.loads(pinstat("analyze", "--format", "json", path))["traces"][0]["functions"]
        self.assertEqual(decoded(function["summary"]["ddsketch"]).count, len(self.durations[host]))

    # MARK: Merging

    def test_the_order_of_merging_does_not_matter(self):
        with open(self.lines) as file:
            lines = file.read().splitlines()
        random.Random(5).shuffle(lines)
        parts = []
        for index in range(7):
            parts.append(pinstat("merge", "--quiet", "-", input="\n".join(lines[index::7])))
        again = json.loads(pinstat("merge", "--quiet", "-", input="".join(parts)))
        straight = self.load(self.whole)
        for document in (again, straight):
            for function in document["functions"]:
                function["stddev_us"] = round(function["stddev_us"], 6)
                del function["squared_deviations_ns2"]
        self.assertEqual(again, straight)

    def test_five_thousand_hosts_stream(self):
        with open(self.lines) as file:
            lines = [json.loads(line) for line in file][:HOSTS]
        path = os.path.join(self.folder, "many.json")
        with open(path, "w") as file:
            for index in range(5_000):
                document = lines[index % HOSTS]
                document["runs"][0]["host"] = f"m{index:05}"
                file.write(json.dumps(document) + "\n")
        out = os.path.join(self.folder, "merged.json")
        # A process counts as its own what its parent held when it was started: this one holds Spark's and DuckDB's
        # libraries, so that a small one stands in between.
        measure = ("import os, sys; pid = os.spawnv(os.P_NOWAIT, sys.argv[1], sys.argv[1:]); "
                   "_, status, usage = os.wait4(pid, 0); print(status, usage.ru_maxrss)")
        measured = subprocess.run(
            [sys.executable, "-S", "-c", measure, PINSTAT, "merge", "--quiet", "-o", out, path],
            check=True, capture_output=True, text=True)
        status, peak = map(int, measured.stdout.split())
        self.assertEqual(status, 0, measured.stderr)
        document = self.load(out)
        self.assertEqual((document["run_count"], len(document["runs"])), (5_000, 5_000))
        self.assertEqual(sum(function["runs"] for function in document["functions"]), 5_000)
        # The process itself, KiB: 10 MB of JSON go through it, and 5,000 rows stay.
        self.assertLess(peak, 64 * 1024)
        # Fewer rows than traces: a sample of them, and all of the sums.
        cut = json.loads(pinstat("merge", "--quiet", "--rows", "1000", out))
        self.assertEqual(len(cut["runs"]), 500)
        self.assertEqual([f["total_ns"] for f in cut["functions"]], [f["total_ns"] for f in document["functions"]])

    def test_hosts_are_compared_by_exact_figures(self):
        function, = json.loads(pinstat("compare", "--format", "json", *self.sides))["functions"]
        for side, kernel in (("before", "6.17"), ("after", "6.18")):
            medians = [statistics.median(self.durations[host]) for host, of, _ in self.hosts() if of == kernel]
            self.assertEqual(sorted(round(value * 1000, 1) for value in function[side]["samples_us"]), sorted(medians))
            self.assertEqual(function[side]["calls"], len(self.calls(kernel)))
        self.assertEqual((function["unit"], function["verdict"]), ("run", "faster"))

    # MARK: On Spark, and with DuckDB

    def test_spark_and_duckdb_say_what_one_process_says(self):
        out = os.path.join(self.folder, "out")
        status, printed, error = spark(
            "--traces", self.traces, "--out", out, "--before", "6.17*", "--after", "6.18*", "--compare",
            "--format csv --quiet")
        self.assertEqual(status, 0, error)
        self.assertIn(f"{HOSTS + WITHOUT + DAMAGED} traces, {DAMAGED} of them could not be read", printed)
        # The comparison, to the last digit.
        self.assertTrue(printed.endswith(pinstat("compare", "--quiet", "--format", "csv", *self.sides)), printed)
        # Spark's own reduction of the sketches, as it prints them.
        for function in self.load(self.whole)["functions"]:
            shown, = [line.split() for line in printed.splitlines() if line.startswith(function["kernel"] + " ")]
            self.assertEqual(shown[1:4], [FUNCTION, str(function["runs"]), str(function["count"])])
            for text, key in zip(shown[4:], ("p50_us", "p99_us", "mean_us")):
                self.assertEqual(text, f"{function[key]:.3f}")
        # DuckDB, over the same Parquet.
        rows = ask.ask(out, "kernels").fetchall()
        expected = []
        for function in self.load(self.whole)["functions"]:
            kernel = function["kernel"][:4]
            medians = [statistics.median(self.durations[host]) for host, of, _ in self.hosts() if of == kernel]
            expected.append((
                function["kernel"], FUNCTION, len(medians), function["count"], function["total_ns"],
                function["min_ns"], function["max_ns"], statistics.median(medians)))
        self.assertEqual(rows, expected)
        self.assertEqual(len(ask.ask(out, "slowest").fetchall()), 6)
        failed = ask.ask(out, "failures").fetchall()
        self.assertEqual(
            [path for path, _ in failed], sorted(row["path"] for row in self.load(self.whole)["failures"]))
        self.assertTrue(all(path in error for path, error in failed))

    def test_an_object_store_goes_through_binary_file(self):
        some = os.path.join(self.folder, "some")
        for path in self.paths[:12] + self.paths[-4:]:
            shutil.copytree(os.path.dirname(path), os.path.join(some, os.path.basename(os.path.dirname(path))))
        out = os.path.join(self.folder, "out-some")
        status, printed, error = spark("--traces", "file://" + some, "--out", out, "--partitions", "2")
        self.assertEqual(status, 0, error)
        self.assertIn("16 traces, 4 of them could not be read", printed)
        rows = ask.ask(out, "SELECT host, count, total_ns, path FROM read_parquet(getvariable('out') || '/functions/*.parquet')")
        found = {host: (count, total, path) for host, count, total, path in rows.fetchall()}
        self.assertEqual(len(found), 12)
        for host, (count, total, path) in found.items():
            self.assertEqual((count, total), (len(self.durations[host]), sum(self.durations[host])))
            self.assertTrue(path.endswith(f"/some/host={host}/trace.dat"), path)
        for path, error in ask.ask(out, "failures").fetchall():
            self.assertIn(path, error)

    def test_a_process_that_dies_costs_one_row(self):
        import fleet
        broken = os.path.join(self.folder, "pinstat-that-dies")
        with open(broken, "w") as file:
            file.write(f'#!/bin/sh\ncase "$*" in *n00001*) kill -SEGV $$;; esac\nexec {PINSTAT} "$@"\n')
        os.chmod(broken, 0o755)
        job = fleet.Pinstat(broken, [], r"host=([^/]+)/")
        rows = [fleet.trace_row(named) for named in job.summaries([(path, path) for path in self.paths[:4]])]
        self.assertEqual([row[3] is None for row in rows], [True, False, True, True])
        self.assertIn("-11", rows[1][3])

    # MARK: Collecting

    def test_the_unit_ships_a_summary(self):
        """The unit's own shell lines, as systemd would hand them over."""
        unit = os.path.join(HERE, "pinstat-collect.service")
        with open(unit) as file:
            starts = [line.partition("=")[2].strip() for line in file if line.startswith("ExecStart=")]
        host, _, trace = next(self.hosts())
        work, destination = os.path.join(self.folder, "run"), os.path.join(self.folder, "state")
        os.makedirs(work)
        os.makedirs(destination)
        shutil.copy(trace, os.path.join(work, "trace.dat"))
        shells = [start for start in starts if start.startswith("/bin/sh -c '")]
        self.assertEqual(len(shells), 2)
        for start in shells:
            meant = {"%H": "web7", "%%": "%", "$$": "$"}
            script = re.sub(r"%H|%%|\$\$", lambda found: meant[found.group()], start[len("/bin/sh -c '"):-1])
            script = script.replace("/usr/local/bin/pinstat", PINSTAT)
            subprocess.run(["/bin/sh", "-c", script], cwd=work, check=True, env=dict(
                os.environ, FUNCTION=FUNCTION, DESTINATION=destination))
        shipped, = os.listdir(destination)
        self.assertRegex(shipped, r"^web7-\d{8}T\d{6}Z\.json$")
        document = json.loads(pinstat("merge", "--quiet", os.path.join(destination, shipped)))
        self.assertEqual([run["host"] for run in document["runs"]], ["web7"])
        self.assertEqual(document["functions"][0]["count"], len(self.durations[host]))
        if shutil.which("systemd-analyze"):
            done = subprocess.run(
                ["systemd-analyze", "verify", unit, os.path.join(HERE, "pinstat-collect.timer")],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            self.assertEqual((done.returncode, done.stdout.strip()), (0, ""))


if __name__ == "__main__":
    unittest.main(verbosity=2)
