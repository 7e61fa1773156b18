#!/usr/bin/env python3
"""Makes large traces of small captures: the same records again and again, later each time.

    make_inputs.py FOLDER SIZE

SIZE is that of the uncompressed trace.dat in bytes (`64M`, `380M`, `1G`). In FOLDER appear, where they are not there yet:

    SIZE.dat         version 6: symbols and formats of one capture, the trace data of another (unlimited depth), on two CPUs
    SIZE.moving.dat  the same, but that the two tasks change CPUs from one repetition to the next
    SIZE.process.dat the same of one task, which is on one CPU in one repetition and on the other in the next: what
                     `trace-cmd record -F` writes
    SIZE.filter.dat  entries and exits of vfio_pin_map_dma alone, some 2 us each: what `trace-cmd record -l` writes
    SIZE.zstd.dat    the first one in version 7, compressed with zstd by trace-cmd
    SIZE.zlib.dat    the same in version 7, the trace data compressed with zlib here, since Debian's trace-cmd cannot
    SIZE.zlib.chunks where the chunks of each CPU's data begin in it, one offset a line
    SIZE.report.txt  the same as `trace-cmd report` prints it
    SIZE.tracefs.txt twice as many bytes of tracefs' own text, the lines of a captured trace_pipe repeated
    SIZE.columns.txt the same lines, SIZE bytes, with a time and a task in each (funcgraph-abstime, funcgraph-proc)
    SIZE.values.txt  the same with return values (funcgraph-retval), every other one an address that hardly comes again
    SIZE.events.txt  a captured report with other events between the calls, repeated later each time

The result depends on SIZE and on the captures in Fixtures/ alone. Needs trace-cmd.
"""

import os
import random
import re
import struct
import subprocess
import sys
import zlib

FIXTURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Fixtures", "traces")
CONTAINER = os.path.join(FIXTURES, "6.18-nest3-256m-2m.dat")
RECORDS = os.path.join(FIXTURES, "6.18-nestinf-64m-2m-stripped.dat")
# Of one function alone, whose task changes CPUs.
TWELVE = os.path.join(FIXTURES, "6.17-seed-8g-2m.dat")
TEXT = os.path.join(FIXTURES, "6.17-txt-trace_pipe.tracefs.txt")
EVENTS = os.path.join(FIXTURES, "6.18-fmt-events.report.txt")
PAGE = 4096
FUNCTION = "vfio_pin_map_dma"
# Pages in a compressed chunk, as trace-cmd has it.
CHUNK = 10 * PAGE
# Nanoseconds between the end of one repetition and the start of the next.
GAP = 1_000_000


def byte_count(text):
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    return int(text[:-1]) * units[text[-1]] if text[-1] in units else int(text)


def quiet(*command):
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)


def whole(path, write):
    """Makes `path` by `write(temporary)`, so that a run that was broken off leaves nothing half-made.

    What was written leaves the page cache: the first run is to find the file there as all later ones do, in the pages in which
    the system reads files, not in those in which this one was written.
    """
    if os.path.exists(path):
        return
    print(f"making {path}", file=sys.stderr)
    temporary = f"{path}.{os.getpid()}.tmp"
    write(temporary)
    with open(temporary, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    os.rename(temporary, path)


def version6(path, folder):
    """The bytes of a capture as version 6 without compression, and where its CPUs' extents stand."""
    temporary = os.path.join(folder, f"convert.{os.getpid()}.tmp")
    quiet("trace-cmd", "convert", "--file-version", "6", "--compression", "none", "-i", path, "-o", temporary)
    with open(temporary, "rb") as file:
        data = file.read()
    os.unlink(temporary)
    return data, data.rindex(b"flyrecord\0") + len(b"flyrecord\0")


def records(page, stamps):
    """Payload offsets and times of a page's data records (include/linux/ring_buffer.h).

    Where absolute stamps stand goes to `stamps`."""
    end = 16 + (struct.unpack_from("<Q", page, 8)[0] & 0x3FFFFFFF)
    position, time = 16, struct.unpack_from("<Q", page, 0)[0]
    while position + 4 <= end:
        (word,) = struct.unpack_from("<I", page, position)
        kind, delta = word & 31, word >> 5
        if 1 <= kind <= 28:
            time += delta
            yield position + 4, time
            position += 4 + 4 * kind
        elif kind == 30:
            time += struct.unpack_from("<I", page, position + 4)[0] << 27 | delta
            position += 8
        elif kind == 29:
            if delta == 0:
                return
            time += delta
            position += 4 + struct.unpack_from("<I", page, position + 4)[0]
        else:
            time = stamp(page, position)
            stamps.append(position)
            position += 8


def stamp(page, position):
    """An absolute stamp: 27 bits in the first word, 32 in the second."""
    word, high = struct.unpack_from("<II", page, position)
    return high << 27 | word >> 5


def move(page, stamps, distance):
    """The page with all its times later by `distance`."""
    page = bytearray(page)
    struct.pack_into("<Q", page, 0, struct.unpack_from("<Q", page, 0)[0] + distance)
    for position in stamps:
        time = stamp(page, position) + distance
        struct.pack_into("<II", page, position, (time & 0x7FFFFFF) << 5 | 31, time >> 27)
    return page


def captured_pages(folder):
    captured, place = version6(RECORDS, folder)
    offset, length = struct.unpack_from("<QQ", captured, place)
    return [captured[at : at + PAGE] for at in range(offset, offset + length, PAGE)]


def open_trace(path, half, container, extents):
    """A file for two CPUs' data of `half` bytes each, written up to there."""
    start = struct.unpack_from("<Q", container, extents)[0]
    head = bytearray(container[:start])
    struct.pack_into("<QQQQ", head, extents, start, half, start + half, half)
    file = open(path, "wb")
    file.write(head)
    return file


def write_trace(path, size, folder, kind="dat"):
    container, extents = version6(CONTAINER, folder)
    pages = captured_pages(folder)
    stamps = [[] for _ in pages]
    others, times = [], []
    for page, found in zip(pages, stamps):
        other = bytearray(page)
        for payload, time in records(page, found):
            times.append(time)
            # common_pid: the second CPU runs another task.
            (pid,) = struct.unpack_from("<i", other, payload + 4)
            struct.pack_into("<i", other, payload + 4, pid + 1)
        others.append(other)
    span = max(times) - min(times) + GAP

    turns = max(1, size // 2 // (len(pages) * PAGE))
    with open_trace(path, turns * len(pages) * PAGE, container, extents) as file:
        for cpu in range(2):
            for turn in range(turns):
                task = {"dat": cpu, "moving": (cpu + turn) % 2, "process": 0}[kind]
                time = (2 * turn + cpu if kind == "process" else turn) * span
                file.writelines(move(page, found, time) for page, found in zip((pages, others)[task], stamps))


def write_filter(path, size, folder):
    container, extents = version6(CONTAINER, folder)
    (address,) = struct.unpack(">Q", bytes.fromhex(
        re.search(rb"([0-9a-f]{16}) t %s\t" % FUNCTION.encode(), container).group(1).decode()))
    entry = exit = None
    for page in captured_pages(folder):
        for payload, _ in records(page, []):
            length = 4 * (page[payload - 4] & 31)
            # As in the capture's formats: kernel/trace/trace_entries.h, funcgraph_entry and funcgraph_exit.
            if length == 24:
                entry = bytearray(page[payload : payload + length])
            if length == 40:
                exit = bytearray(page[payload : payload + length])
        if entry and exit:
            break
    chance = random.Random(1)
    calls = (PAGE - 16) // (28 + 44)
    # Between the beginnings of two calls, nanoseconds.
    step = 3000
    for record in entry, exit:
        struct.pack_into("<QI", record, 8, address, 0)
    blocks = []
    for cpu in range(2):
        pages = []
        for record in entry, exit:
            struct.pack_into("<i", record, 4, 248 + cpu)
        for number in range(50):
            first = 10**11 + cpu * 1000 + number * calls * step
            data, end = bytearray(), first
            for call in range(calls):
                begin = first + call * step
                duration = chance.randrange(300, 2000)
                struct.pack_into("<QQ", exit, 24, begin, begin + duration)
                data += struct.pack("<I", begin - end << 5 | 6) + entry + struct.pack("<I", duration << 5 | 10) + exit
                end = begin + duration
            pages.append((struct.pack("<QQ", first, len(data)) + data).ljust(PAGE, b"\0"))
        blocks.append(pages)
    turns = max(1, size // 2 // (50 * PAGE))
    with open_trace(path, turns * 50 * PAGE, container, extents) as file:
        for pages in blocks:
            for turn in range(turns):
                file.writelines(move(page, [], turn * 50 * calls * step) for page in pages)


def write_text(path, size):
    with open(TEXT, "rb") as file:
        text = file.read()
    with open(path, "wb") as file:
        for _ in range(max(1, size // len(text))):
            file.write(text)


def text_lines():
    """The captured text's lines, each with what a line of a call is made of, else None: CPU, duration column, indentation,
    function part. Tasks are not named in it, and switches would not fit where lines name theirs."""
    with open(TEXT) as file:
        lines = [line for line in file.read().splitlines() if line and not line.startswith("#")]
    return [(line, re.fullmatch(r" (\d)\) (.{14}\|  )( *)(.*)", line)) for line in lines]


def repeat(path, size, part):
    """Writes `part(turn)`, some text, until there are so many bytes."""
    with open(path, "w") as file:
        turn = 0
        while file.tell() < size:
            file.write(part(turn))
            turn += 1


def write_columns(path, size):
    lines = [(line, call) for line, call in text_lines() if call or line.startswith("CPU:")]

    def part(turn):
        time, text = 79_000_000 + 3 * turn * len(lines), []
        for line, call in lines:
            # kernel/trace/trace_functions_graph.c, print_graph_prologue
            time += 3
            text.append(f"{time // 1_000_000:5}.{time % 1_000_000:06} |   {call[1]})  vfiomap-172{call[1]}  | {call[2]}{call[3]}{call[4]}\n"
                        if call else line + "\n")
        return "".join(text)

    repeat(path, size, part)


def write_values(path, size):
    lines = text_lines()
    chance = random.Random(1)

    def part(_):
        names, text = {}, []
        for line, call in lines:
            value = chance.choice(["0x0", "-22", f"0x{0xffff888000000000 + chance.randrange(1 << 28) * 64:x}",
                                   f"0x{0xffffea0000000000 + chance.randrange(1 << 28) * 64:x}"])
            if call:
                place, function = (call[1], len(call[3])), call[4]
                # The same file, print_graph_retval.
                if function.endswith("{"):
                    names[place] = function.split("(")[0]
                elif function.endswith(";"):
                    line += f" /* ret={value} */"
                elif function.endswith("*/"):
                    line = line.removesuffix("*/") + f"ret={value} */"
                else:
                    line += f" /* {names[place]} ret={value} */" if place in names else f" /* ret={value} */"
            text.append(line + "\n")
        return "".join(text)

    repeat(path, size, part)


def write_events(path, size):
    with open(EVENTS) as file:
        head, *lines = file.read().splitlines()
    parts = [re.fullmatch(r"(.*? \[\d{3}\] +)(\d+)\.(\d{6})(: .*)", line) for line in lines]
    times = [int(part[2] + part[3]) for part in parts if part]
    span = max(times) - min(times) + GAP // 1000

    def text(turn):
        if turn == 0:
            return head + "\n"
        return "".join(
            f"{part[1]}{(time := int(part[2] + part[3]) + turn * span) // 1_000_000}.{time % 1_000_000:06}{part[4]}\n"
            if part else line + "\n" for line, part in zip(lines, parts))

    repeat(path, size, text)


def write_report(path, trace):
    with open(path, "wb") as file:
        subprocess.run(
            ["trace-cmd", "report", "-i", trace], stdout=file, stderr=subprocess.DEVNULL, check=True)


def compress(path, trace):
    quiet("trace-cmd", "convert", "--file-version", "7", "--compression", "zstd", "-i", trace, "-o", path)


def last_option_section(data):
    """Of a version 7 file without compression: where the options section is that tells of the buffer, where the offset
    of that section stands, and where its buffer option's content is (trace-cmd.dat.v7(5))."""
    place = data.index(b"none\0") + 5
    place = data.index(b"\0", place) + 1
    while True:
        (offset,) = struct.unpack_from("<Q", data, place)
        at = offset + 16
        while True:
            number, size = struct.unpack_from("<HI", data, at)
            if number == 3:
                return offset, place, at + 6
            if number == 0:
                place = at + 6
                break
            at += 6 + size


def compress_zlib(path, trace):
    """The trace data compressed in chunks; everything else as trace-cmd wrote it."""
    plain = f"{path}.none"
    quiet("trace-cmd", "convert", "--file-version", "7", "--compression", "none", "-i", trace, "-o", plain)
    with open(plain, "rb") as file:
        data = file.read()
    os.unlink(plain)
    options, place, buffer = last_option_section(data)
    (section,) = struct.unpack_from("<Q", data, buffer)
    head = bytearray(data[:section] + struct.pack("<HHIQ", 3, 1, 0, 0))
    name = head.index(b"none\0")
    head[name : name + 4] = b"zlib"
    tail = bytearray(data[options:])
    # Name and clock, page size, number of CPUs; then number, offset and size of each.
    at = buffer - options + 8
    for _ in range(2):
        at = tail.index(b"\0", at) + 1
    (cpus,) = struct.unpack_from("<I", tail, at + 4)
    chunks = []
    with open(path, "wb") as file:
        file.write(head)
        for cpu in range(cpus):
            entry = at + 8 + cpu * 20
            offset, size = struct.unpack_from("<QQ", tail, entry + 4)
            file.write(bytes(-file.tell() % PAGE))
            start = file.tell()
            chunks.append(start)
            file.write(struct.pack("<I", -(-size // CHUNK)))
            for position in range(offset, offset + size, CHUNK):
                chunk = data[position : min(position + CHUNK, offset + size)]
                small = zlib.compress(chunk)
                file.write(struct.pack("<II", len(small), len(chunk)) + small)
            struct.pack_into("<QQ", tail, entry + 4, start, file.tell() - start - 4)
        end = file.tell()
        file.write(tail)
        file.seek(place)
        file.write(struct.pack("<Q", end))
        file.seek(section + 8)
        file.write(struct.pack("<Q", end - section - 16))
    with open(path.split(".zlib.dat")[0] + ".zlib.chunks", "w") as file:
        file.writelines(f"{start}\n" for start in chunks)


# Texts that are made of captured ones.
TEXTS = {"columns": write_columns, "values": write_values, "events": write_events}


def make(folder, size_text, wanted=("moving", "process", "filter", "zstd", "zlib", "report", "tracefs", *TEXTS)):
    """Makes what is missing; gives the paths by kind."""
    os.makedirs(folder, exist_ok=True)
    size = byte_count(size_text)
    paths = {
        "small": CONTAINER,
        "twelve": TWELVE,
        "dat": os.path.join(folder, f"{size_text}.dat"),
        "moving": os.path.join(folder, f"{size_text}.moving.dat"),
        "process": os.path.join(folder, f"{size_text}.process.dat"),
        "filter": os.path.join(folder, f"{size_text}.filter.dat"),
        "zstd": os.path.join(folder, f"{size_text}.zstd.dat"),
        "zlib": os.path.join(folder, f"{size_text}.zlib.dat"),
        "chunks": os.path.join(folder, f"{size_text}.zlib.chunks"),
        "report": os.path.join(folder, f"{size_text}.report.txt"),
        "tracefs": os.path.join(folder, f"{size_text}.tracefs.txt"),
        **{kind: os.path.join(folder, f"{size_text}.{kind}.txt") for kind in TEXTS},
    }
    whole(paths["dat"], lambda path: write_trace(path, size, folder))
    for kind in "moving", "process":
        if kind in wanted:
            whole(paths[kind], lambda path: write_trace(path, size, folder, kind))
    if "filter" in wanted:
        whole(paths["filter"], lambda path: write_filter(path, size, folder))
    if "zstd" in wanted:
        whole(paths["zstd"], lambda path: compress(path, paths["dat"]))
    if "zlib" in wanted:
        whole(paths["zlib"], lambda path: compress_zlib(path, paths["dat"]))
    if "report" in wanted:
        whole(paths["report"], lambda path: write_report(path, paths["dat"]))
    if "tracefs" in wanted:
        whole(paths["tracefs"], lambda path: write_text(path, 2 * size))
    for kind, write in TEXTS.items():
        if kind in wanted:
            whole(paths[kind], lambda path: write(path, size))
    return paths


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    for kind, path in make(sys.argv[1], sys.argv[2]).items():
        print(f"{kind:8} {os.path.getsize(path):12} {path}")
