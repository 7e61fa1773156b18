#!/bin/bash
# The main job on real traces: `make demo`. PINSTAT names the program; the output is what README.md shows.
set -e
cd "$(dirname "$0")/.."
: "${PINSTAT:=pinstat}"
export LC_ALL=C.UTF-8 COLUMNS=80 NO_COLOR=1
unset PINSTAT_RECORD

show() {
  echo "\$ pinstat $*"
  "$PINSTAT" "$@" | cat
  echo
}

show compare Fixtures/traces/6.17-seed-8g-2m.dat Fixtures/traces/6.18-seed-8g-2m.dat --size 8G --page-size 2M
show compare Fixtures/traces/patch-mail.txt --min-speedup 2x --undecided pass
