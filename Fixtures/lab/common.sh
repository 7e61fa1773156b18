# What the lab's scripts share: words for the user, the cache folder, cleaning up. Sourced, not run.
# shellcheck shell=bash

set -eu -o pipefail
export LC_ALL=C.UTF-8

lab=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$lab/../.." && pwd)
cache=${LAB_DIR:-$root/.build-lab}
mkdir -p "$cache"

say() { printf 'lab: %s\n' "$*" >&2; }
die() {
  printf 'lab: error: %s\n' "$*" >&2
  exit 1
}

# A folder of this run's own, and the machine that it started, if any; both go when the script ends, however it does.
scratch=$(mktemp -d "$cache/scratch.XXXXXX")
machine_pid=
cleanup() {
  local code=$?
  trap - EXIT
  if [ -n "$machine_pid" ]; then
    kill -KILL "$machine_pid" 2>/dev/null || true
    wait "$machine_pid" 2>/dev/null || true
  fi
  rm -rf "$scratch"
  exit "$code"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# The first characters of the SHA-256 of standard input.
digest() { sha256sum | cut -c1-"${1:-12}"; }

# 256M, 1G, 64K: as bytes.
bytes() {
  local number=${1%[KMG]}
  [[ $1 =~ ^[1-9][0-9]{0,8}[KMG]?$ ]] || die "$1 is not a size such as 256M or 1G"
  case $1 in
    *K) echo $((number << 10)) ;;
    *M) echo $((number << 20)) ;;
    *G) echo $((number << 30)) ;;
    *) echo "$number" ;;
  esac
}
