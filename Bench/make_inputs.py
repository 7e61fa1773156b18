#!/usr/bin/env python3
"""Makes large traces of small captures: the same records again and again, later each time.

    make_inputs.py FOLDER SIZE

SIZE is that of the uncompressed trace.dat in bytes (`64M`, `380M`, `1G`). In FOLDER appear, where they are not there yet:

    SIZE.dat         version 6: symbols and formats of one capture, the trace data of another (unlimited depth), on two CPUs
    SIZE.moving.dat  the same, but that the two tasks change CPUs from one repetition to the next
    SIZE.zstd.dat    the first one in version 7, compressed with zstd by trace-cmd
    SIZE.zlib.dat    the same in version 7, the trace data compressed with zlib here, since Debian's trace-cmd cannot
    SIZE.zlib.chunks where the chunks of each CPU's data begin in it, one offset a line
    SIZE.report.txt  the same as `trace-cmd report` prints it
    SIZE.tracefs.txt twice as many bytes of tracefs' own text, the lines of a captured trace_pipe repeated

The result depends on SIZE and on the captures in Fixtures/ alone. Needs trace-cmd.
"""

import os
import struct
import subprocess
import sys
import zlib

FIXTURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Fixtures", "traces")
CONTAINER = os.path.join(FIXTURES, "6.18-nest3-256m-2m.dat")
RECORDS = os.path.join(FIXTURES, "6.18-nestinf-64m-2m-stripped.dat")
TEXT = os.path.join(FIXTURES, "6.17-txt-trace_pipe.tracefs.txt")
PAGE = 4096
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
    """Makes `path` by `write(temporary)`, so that a run that was broken off leaves nothing half-made."""
    if os.path.exists(path):
        return
    print(f"making {path}", file=sys.stderr)
    temporary = f"{path}.{os.getpid()}.tmp"
    write(temporary)
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


def write_trace(path, size, folder, moves=False):
    container, extents = version6(CONTAINER, folder)
    captured, place = version6(RECORDS, folder)
    offset, length = struct.unpack_from("<QQ", captured, place)
    pages = [captured[at : at + PAGE] for at in range(offset, offset + length, PAGE)]
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

    start = struct.unpack_from("<Q", container, extents)[0]
    half = size // 2 // (len(pages) * PAGE) * len(pages) * PAGE or len(pages) * PAGE
    head = bytearray(container[:start])
    struct.pack_into("<QQQQ", head, extents, start, half, start + half, half)
    with open(path, "wb") as file:
        file.write(head)
        for cpu in range(2):
            for turn in range(half // (len(pages) * PAGE)):
                task = (pages, others)[(cpu + turn) % 2 if moves else cpu]
                file.writelines(move(page, found, turn * span) for page, found in zip(task, stamps))


def write_text(path, size):
    with open(TEXT, "rb") as file:
        text = file.read()
    with open(path, "wb") as file:
        for _ in range(max(1, size // len(text))):
            file.write(text)


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


def make(folder, size_text, wanted=("moving", "zstd", "zlib", "report", "tracefs")):
    """Makes what is missing; gives the paths by kind."""
    os.makedirs(folder, exist_ok=True)
    size = byte_count(size_text)
    paths = {
        "small": CONTAINER,
        "dat": os.path.join(folder, f"{size_text}.dat"),
        "moving": os.path.join(folder, f"{size_text}.moving.dat"),
        "zstd": os.path.join(folder, f"{size_text}.zstd.dat"),
        "zlib": os.path.join(folder, f"{size_text}.zlib.dat"),
        "chunks": os.path.join(folder, f"{size_text}.zlib.chunks"),
        "report": os.path.join(folder, f"{size_text}.report.txt"),
        "tracefs": os.path.join(folder, f"{size_text}.tracefs.txt"),
    }
    whole(paths["dat"], lambda path: write_trace(path, size, folder))
    if "moving" in wanted:
        whole(paths["moving"], lambda path: write_trace(path, size, folder, moves=True))
    if "zstd" in wanted:
        whole(paths["zstd"], lambda path: compress(path, paths["dat"]))
    if "zlib" in wanted:
        whole(paths["zlib"], lambda path: compress_zlib(path, paths["dat"]))
    if "report" in wanted:
        whole(paths["report"], lambda path: write_report(path, paths["dat"]))
    if "tracefs" in wanted:
        whole(paths["tracefs"], lambda path: write_text(path, 2 * size))
    return paths


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    for kind, path in make(sys.argv[1], sys.argv[2]).items():
        print(f"{kind:8} {os.path.getsize(path):12} {path}")
