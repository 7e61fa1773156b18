#!/usr/bin/env python3
"""Asks DuckDB one of questions.sql, or any SQL, about what fleet.py wrote: ask.py OUT kernels|slowest|failures|'SELECT ...'"""

import os
import re
import sys

import duckdb

HERE = os.path.dirname(os.path.abspath(__file__))


def questions():
    with open(os.path.join(HERE, "questions.sql")) as file:
        parts = re.split(r"^-- name: (\w+)$", file.read(), flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2]))


def ask(out, question):
    """The relation. SQL of one's own names the folder as getvariable('out')."""
    connection = duckdb.connect()
    connection.execute("SET VARIABLE out = ?", [out])
    return connection.sql(questions().get(question, question))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    print(ask(sys.argv[1], sys.argv[2]))
