#!/usr/bin/env python3
"""Durations of kernel functions over a fleet's traces, on Spark: thousands of trace.dat files, pinstat on each partition.

    fleet.py --traces DIR_OR_URI --out DIR_OR_URI [--pinstat FILE] [-f NAME]... [--before GLOB --after GLOB]

The same script runs in local mode (`python3 fleet.py`) and on a cluster (`spark-submit fleet.py`): the pinstat binary
travels with the job (SparkContext.addFile; a static one needs nothing on the workers, and the workers need Python
with ddsketch and protobuf). Each task gives pinstat several traces at a time (`analyze --format summary`: a line of
JSON a trace). What cannot be read is a row with its error and never fails the job.

--traces is a folder that every worker sees, whose files are read in place, or a URI of any Hadoop file system (hdfs://,
s3a://, gs://, file://), whose files reach the workers through Spark's binaryFile source.

It writes two Parquet tables:

    OUT/functions   a row a trace and function: host, path, kernel, function, module, what adds up, the DDSketch (protobuf)
    OUT/traces      a row a trace: host, path, kernel, error (null where it was read), summary (pinstat/summary/1)

and prints a row a kernel and function, reduced with Datadog's own DDSketch, and where two kernels are named, what
`pinstat compare` says of them with each host as one sample.
"""

import argparse
import base64
import fnmatch
import json
import os
import re
import stat
import subprocess
import sys
import tempfile

from pyspark import SparkFiles
from pyspark.sql import SparkSession
from pyspark.sql import types as T

FUNCTIONS = T.StructType([
    T.StructField("host", T.StringType()), T.StructField("path", T.StringType()),
    T.StructField("kernel", T.StringType()), T.StructField("function", T.StringType()),
    T.StructField("module", T.StringType()), T.StructField("count", T.LongType()),
    T.StructField("incomplete", T.LongType()), T.StructField("total_ns", T.LongType()),
    T.StructField("min_ns", T.LongType()), T.StructField("max_ns", T.LongType()),
    T.StructField("median_ns", T.DoubleType()), T.StructField("p99_ns", T.DoubleType()),
    T.StructField("squared_deviations_ns2", T.DoubleType()), T.StructField("relative_error", T.DoubleType()),
    T.StructField("may_lack_calls", T.BooleanType()), T.StructField("sketch", T.BinaryType()),
])
TRACES = T.StructType([
    T.StructField("host", T.StringType()), T.StructField("path", T.StringType()),
    T.StructField("kernel", T.StringType()), T.StructField("error", T.StringType()),
    T.StructField("summary", T.StringType()),
])

# Traces that one pinstat process reads.
BATCH = 32
# Seconds that it may take for them before each is tried on its own, and for one.
PATIENCE = 600
# What Java holds in one array, and so binaryFile in one row.
LARGEST = (1 << 31) - 1024


# MARK: On the workers

class Pinstat:
    """The binary, and the options that every trace is analyzed with."""

    def __init__(self, name, arguments, host_pattern):
        self.name, self.arguments, self.host_pattern = name, arguments, host_pattern

    @property
    def path(self):
        path = self.name if os.path.isabs(self.name) else SparkFiles.get(self.name)
        if not os.access(path, os.X_OK):
            os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)
        return path

    def summaries(self, files):
        """(name, line of JSON) of each of (name, path of a readable file)."""
        answers, reason = self.run([path for _, path in files])
        if answers is None and len(files) > 1:
            # One of them ended the process or hung it: which one shows when each is tried alone.
            for file in files:
                yield from self.summaries([file])
            return
        for name, path in files:
            document = (answers or {}).get(path) or failure(name, reason or "pinstat said nothing of it")
            yield name, json.dumps(self.named(document, name, path), sort_keys=True)

    def run(self, paths):
        """Documents by path; None and why where the process did not end as it should."""
        command = [self.path, "analyze", "--format", "summary", "--jobs", "1", "--quiet", *self.arguments, "--", *paths]
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            return None, f"pinstat took over {PATIENCE} s"
        # 2: some could not be read, and are lines with their error.
        if done.returncode not in (0, 2):
            return None, f"pinstat ended with {done.returncode}: {done.stderr.decode(errors='replace')[-300:]}"
        answers = {}
        for line in done.stdout.splitlines():
            document = json.loads(line)
            for row in document["runs"] + document["failures"]:
                answers[row["path"]] = document
        return answers, done.stderr.decode(errors="replace")[-300:]

    def named(self, document, name, path):
        """With the trace's own name and its host's, where the trace does not say it, instead of what was read here."""
        found = re.search(self.host_pattern, name)
        for row in document["runs"] + document["failures"]:
            row["path"] = name
            row["error"] = row["error"].replace(path, name) if "error" in row else None
            if row["error"] is None:
                del row["error"]
            if not row["host"] and found:
                row["host"] = found.group(1)
        return document


def failure(name, error):
    return {
        "schema": "pinstat/summary/1", "tool": {"name": "fleet.py", "version": "1"}, "functions_selected": [],
        "filters": [], "sizes": [], "page_sizes": [], "backings": [], "recorded": [], "run_count": 0, "failed_count": 1,
        "functions": [], "functions_cut": 0, "calls_cut": 0, "runs": [],
        "failures": [{"host": "", "path": name, "error": error}],
    }


def batches(items, size):
    batch = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def of_paths(pinstat):
    """For a partition of paths that this worker can open."""
    def analyze(paths):
        for batch in batches(paths, BATCH):
            yield from pinstat.summaries([(path, path) for path in batch])
    return analyze


def of_contents(pinstat):
    """For a partition of binaryFile rows: name and bytes."""
    def analyze(rows):
        for batch in batches(rows, BATCH):
            with tempfile.TemporaryDirectory(prefix="pinstat-") as folder:
                files = []
                for index, row in enumerate(batch):
                    path = os.path.join(folder, str(index))
                    with open(path, "wb") as file:
                        file.write(row.content)
                    files.append((row.path, path))
                del batch
                yield from pinstat.summaries(files)
    return analyze


def trace_row(named):
    name, line = named
    document = json.loads(line)
    row = (document["runs"] + document["failures"])[0]
    return row["host"] or None, name, row.get("kernel") or None, row.get("error"), line


def function_rows(named):
    """What adds up, of the trace's functions, and beside it the exact median and p99 of its row."""
    name, line = named
    document = json.loads(line)
    for run in document["runs"]:
        exact = {(row["function"], row["module"]): row for row in run["functions"]}
        for row in document["functions"]:
            own = exact.get((row["function"], row["module"]), {})
            yield (
                run["host"] or None, name, row["kernel"] or None, row["function"], row["module"], row["count"],
                row["incomplete"], row["total_ns"], row.get("min_ns"), row.get("max_ns"), real(own.get("median_ns")),
                real(own.get("p99_ns")), real(row["squared_deviations_ns2"]), row["relative_error"],
                run["may_lack_calls"],
                bytearray(base64.b64decode(row["ddsketch"])))


def real(number):
    return None if number is None else float(number)


# MARK: Reducing, with the sketch's own library

class Sum:
    """What adds up of the calls of one kernel and function."""

    def __init__(self, row):
        self.traces, self.count, self.total = 1, row["count"], row["total_ns"]
        self.low, self.high = row["min_ns"], row["max_ns"]
        self.deviations = row["squared_deviations_ns2"]
        self.sketch = decoded(row["sketch"])

    def merge(self, other):
        if self.count and other.count:
            difference = other.total / other.count - self.total / self.count
            self.deviations += difference ** 2 * self.count * other.count / (self.count + other.count)
        self.deviations += other.deviations
        self.traces += other.traces
        self.count += other.count
        self.total += other.total
        self.low = min((x for x in (self.low, other.low) if x is not None), default=None)
        self.high = max((x for x in (self.high, other.high) if x is not None), default=None)
        self.sketch.merge(other.sketch)
        return self

    def quantile(self, p):
        """Nanoseconds, within the sketch's error and never beyond the exact ends; None of no calls."""
        if self.count == 0:
            return None
        return min(max(self.sketch.get_quantile_value(p), self.low), self.high)

    @property
    def stddev(self):
        return (self.deviations / (self.count - 1)) ** 0.5 if self.count > 1 else None


def decoded(message):
    from ddsketch.pb import ddsketch_pb2
    from ddsketch.pb.proto import DDSketchProto
    proto = ddsketch_pb2.DDSketch()
    proto.ParseFromString(bytes(message))
    return DDSketchProto.from_proto(proto)


def reduced(functions):
    """((kernel, function, module), Sum), by kernel and function."""
    sums = functions.rdd.map(lambda row: ((row["kernel"] or "", row["function"], row["module"]), Sum(row)))
    return sorted(sums.reduceByKey(lambda a, b: a.merge(b)).collect(), key=lambda item: item[0])


# MARK: The driver

def traces_of(spark, where, pattern, partitions):
    """An RDD of paths that workers can open, or of binaryFile rows; and whether it is the latter."""
    if "://" not in where:
        paths = sorted(
            os.path.join(folder, name)
            for folder, _, names in os.walk(where) for name in names if fnmatch.fnmatch(name, pattern))
        if not paths:
            sys.exit(f"fleet.py: no file that matches {pattern} in {where}")
        return spark.sparkContext.parallelize(paths, max(1, min(partitions, len(paths)))), False
    files = (spark.read.format("binaryFile").option("pathGlobFilter", pattern)
             .option("recursiveFileLookup", "true").load(where))
    return files.where(files.length < LARGEST).select("path", "content").rdd.coalesce(partitions), True


def not_in_binary_file(spark, pinstat, where, pattern):
    """(path, line) of files that binaryFile leaves out without a word, empty ones, or has no row for."""
    path = spark._jvm.org.apache.hadoop.fs.Path(where)
    files = path.getFileSystem(spark._jsc.hadoopConfiguration()).listFiles(path, True)
    found = []
    while files.hasNext():
        status = files.next()
        name = status.getPath().toString()
        if not fnmatch.fnmatch(status.getPath().getName(), pattern):
            continue
        if status.getLen() == 0:
            reason = "the file is empty; record again"
        elif status.getLen() >= LARGEST:
            reason = "it is larger than binaryFile can read (2 GiB)"
        else:
            continue
        found.append((name, json.dumps(pinstat.named(failure(name, f"{name}: {reason}"), name, name))))
    return found


def compared(pinstat, lines, before, after, arguments, functions):
    """What `pinstat compare` says of two kernels; lines are streamed, as there may be many."""
    with tempfile.TemporaryDirectory(prefix="pinstat-") as folder:
        every = os.path.join(folder, "all.json")
        with open(every, "w") as file:
            for line in lines:
                file.write(line + "\n")
        sides = []
        for side, kernel in (("before", before), ("after", after)):
            sides.append(os.path.join(folder, side + ".json"))
            subprocess.run([pinstat, "merge", "--quiet", "--kernel", kernel, "-o", sides[-1], every], check=True)
        done = subprocess.run([pinstat, "compare", *functions, *arguments, *sides], stdout=subprocess.PIPE, text=True)
        return done.returncode, done.stdout.replace(folder + "/", "")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traces", required=True)
    parser.add_argument("--glob", default="*.dat", help="names of the traces (*.dat)")
    parser.add_argument("--out", required=True)
    parser.add_argument("--pinstat", default="pinstat", help="the binary that travels with the job")
    parser.add_argument("-f", "--function", action="append", default=[], help="as pinstat analyze has it; repeatable")
    parser.add_argument("--host-pattern", default=r"host=([^/]+)/",
                        help="where a path names the host, if the trace does not (host=([^/]+)/)")
    parser.add_argument("--before", help="kernel release of the before side, a glob")
    parser.add_argument("--after", help="kernel release of the after side, a glob")
    parser.add_argument("--compare", default="", help="options for pinstat compare, as one word")
    parser.add_argument("--partitions", type=int, help="tasks (4 a core)")
    options = parser.parse_args()
    if (options.before is None) != (options.after is None):
        parser.error("--before and --after go together")

    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        # Not under spark-submit, so in local mode: the workers run what runs this.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    spark = SparkSession.builder.appName("pinstat fleet").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    binary = os.path.abspath(options.pinstat)
    if not os.path.isfile(binary):
        sys.exit(f"fleet.py: {binary}: no such file; --pinstat names the binary")
    spark.sparkContext.addFile(binary)
    functions = [word for name in options.function for word in ("-f", name)]
    pinstat = Pinstat(os.path.basename(binary), functions, options.host_pattern)

    partitions = options.partitions or 4 * spark.sparkContext.defaultParallelism
    inputs, are_contents = traces_of(spark, options.traces, options.glob, partitions)
    summaries = inputs.mapPartitions((of_contents if are_contents else of_paths)(pinstat))
    if are_contents:
        others = not_in_binary_file(spark, pinstat, options.traces, options.glob)
        summaries = summaries.union(spark.sparkContext.parallelize(others, 1))
    # The traces are read once: both tables are made of this one.
    traces_table, functions_table = options.out.rstrip("/") + "/traces", options.out.rstrip("/") + "/functions"
    spark.createDataFrame(summaries.map(trace_row), TRACES).write.mode("overwrite").parquet(traces_table)
    traces = spark.read.parquet(traces_table)
    lines = traces.select("path", "summary").rdd.map(lambda row: (row["path"], row["summary"]))
    spark.createDataFrame(lines.flatMap(function_rows), FUNCTIONS).write.mode("overwrite").parquet(functions_table)

    failed = traces.where(traces.error.isNotNull())
    print(f"{traces.count()} traces, {failed.count()} of them could not be read")
    for row in failed.orderBy("path").limit(3).collect():
        print(f"  {row['error']}")
    print(f"{'kernel':24} {'function':32} {'traces':>7} {'calls':>9} {'p50 us':>12} {'p99 us':>12} {'mean us':>12}")
    for (kernel, function, _), total in reduced(spark.read.parquet(functions_table)):
        if total.count:
            print(f"{kernel:24} {function:32} {total.traces:7} {total.count:9} {total.quantile(0.5) / 1e3:12.3f} "
                  f"{total.quantile(0.99) / 1e3:12.3f} {total.total / total.count / 1e3:12.3f}")
    status = 0
    if options.before is not None:
        status, text = compared(
            binary, (row["summary"] for row in traces.select("summary").toLocalIterator()), options.before,
            options.after, options.compare.split(), functions)
        print(text, end="")
    spark.stop()
    sys.exit(status)


if __name__ == "__main__":
    main()
