#!/usr/bin/env python3
"""Draws the traces of a fleet out of real captures: many hosts, each with a part of the calls of one capture.

    make_fleet.py --hosts 200 --seed 1 --out DIR CAPTURE...

Each host gets a trace.dat of one capture (in turn), of which a part of the calls, drawn with the seed, is left out:
their ring-buffer records become what the kernel itself makes of an event that it takes back (type 29, padding, with
its length; include/linux/ring_buffer.h), so nothing moves and every duration that is left is one that was measured.
The host's name goes into the trace's uname in place of the six characters "(none)" that the captures have. Everything
else stays as it was recorded. With --damaged N so many further traces are made that cannot be read (empty, cut within
the header, noise), and with --without N so many in which no call is left.

The captures are stripped and converted to the uncompressed version 6 first (Fixtures/strip-trace-dat, trace-cmd),
whose pages can be changed in place: 12 KB a host. The files are DIR/host=NAME/trace.dat.
"""

import argparse
import os
import random
import re
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
STRIP = os.path.join(HERE, "..", "..", "Fixtures", "strip-trace-dat")
PADDING, TIME_EXTEND, TIME_STAMP = 29, 30, 31


def uncompressed(capture, folder):
    """The capture as a small trace.dat of version 6, little-endian."""
    small, plain = os.path.join(folder, "small.dat"), os.path.join(folder, "plain.dat")
    subprocess.run([sys.executable, STRIP, capture, small], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["trace-cmd", "convert", "--file-version", "6", "--compression", "none", "-i", small, "-o", plain],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open(plain, "rb") as file:
        return bytearray(file.read())


def event_ids(data):
    """Numbers of the entry and exit events, out of their formats."""
    ids = {}
    for name in (b"funcgraph_entry", b"funcgraph_exit"):
        found = re.search(rb"name: " + name + rb"\nID: (\d+)\n", data)
        if not found:
            sys.exit(f"no format of {name.decode()} in the capture")
        ids[int(found.group(1))] = name.decode()
    return ids


def pages(data):
    """Offset and size of each CPU's data: behind "flyrecord", two 64-bit numbers a CPU."""
    place = data.rindex(b"flyrecord\0") + 10
    first = struct.unpack_from("<Q", data, place)[0]
    while place + 16 <= first:
        offset, size = struct.unpack_from("<QQ", data, place)
        if offset + size > len(data) or offset % 4096:
            return
        if size:
            yield offset, size
        place += 16


def records(data, offset, size):
    """(place of the header, words of the whole record, place and length of the payload) of each event."""
    for page in range(offset, offset + size, 4096):
        place = page + 16
        end = place + (struct.unpack_from("<Q", data, page + 8)[0] & 0xfffff)
        while place < end:
            header = struct.unpack_from("<I", data, place)[0]
            kind = header & 31
            if kind == PADDING:
                if header >> 5 == 0:
                    break
                place += 4 + struct.unpack_from("<I", data, place + 4)[0]
            elif kind in (TIME_EXTEND, TIME_STAMP):
                place += 8
            elif kind == 0:
                length = struct.unpack_from("<I", data, place + 4)[0]
                yield place, length + 4, place + 8
                place += 4 + (length + 3 & ~3)
            else:
                yield place, 4 + kind * 4, place + 4
                place += 4 + kind * 4


def calls(data, ids):
    """The outermost calls of a capture that is one level deep: records of the entry and of the exit."""
    found = []
    for offset, size in pages(data):
        opened = {}
        for place, length, payload in records(data, offset, size):
            kind, = struct.unpack_from("<H", data, payload)
            pid, = struct.unpack_from("<i", data, payload + 4)
            if ids.get(kind) == "funcgraph_entry":
                opened[pid] = (place, length)
            elif ids.get(kind) == "funcgraph_exit" and pid in opened:
                found.append((opened.pop(pid), (place, length)))
    return found


def take_back(data, place, length):
    """What rb_event_discard() does: padding that has a length, and keeps the time that passed."""
    header = struct.unpack_from("<I", data, place)[0]
    delta = max(1, header >> 5)
    struct.pack_into("<II", data, place, delta << 5 | PADDING, length - 4)


def drawn(original, found, host, keep):
    data = bytearray(original)
    for index, call in enumerate(found):
        if index not in keep:
            for place, length in call:
                take_back(data, place, length)
    if data.count(b"Linux (none) ") != 1:
        sys.exit("the capture's uname does not name its host \"(none)\"")
    return data.replace(b"Linux (none) ", b"Linux " + host.encode() + b" ")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, required=True)
    parser.add_argument("--damaged", type=int, default=0)
    parser.add_argument("--without", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--least", type=int, default=4, help="calls that a host keeps at least (4)")
    parser.add_argument("--out", required=True)
    parser.add_argument("captures", nargs="+")
    options = parser.parse_args()
    generator = random.Random(options.seed)
    sources = []
    with tempfile.TemporaryDirectory() as folder:
        for capture in options.captures:
            data = uncompressed(capture, folder)
            found = calls(data, event_ids(data))
            if len(found) < options.least:
                sys.exit(f"{capture}: {len(found)} calls in it, fewer than --least")
            sources.append((data, found))

    def write(number, data):
        folder = os.path.join(options.out, f"host=n{number:05}")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "trace.dat"), "wb") as file:
            file.write(data)

    number = 0
    for number in range(options.hosts + options.without):
        data, found = sources[number % len(sources)]
        count = generator.randint(options.least, len(found)) if number < options.hosts else 0
        keep = set(generator.sample(range(len(found)), count))
        write(number, drawn(data, found, f"n{number:05}", keep))
    for index in range(options.damaged):
        number += 1
        whole = sources[index % len(sources)][0]
        write(number, [b"", whole[:generator.randint(1, 300)], generator.randbytes(500)][index % 3])


if __name__ == "__main__":
    main()
