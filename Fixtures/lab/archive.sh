# Packages out of Debian's archive, fetched and unpacked without being installed: apt with sources, lists and state of
# its own, one folder a suite. apt checks the suite's signature and every file's hash. Sourced by the lab's scripts.
# shellcheck shell=bash disable=SC2154

mirror=${LAB_MIRROR:-http://deb.debian.org/debian}
keyring=${LAB_KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}

# apt with the state of suite $1; the transport (proxies, time limits, dates) is as this machine's own apt has it.
apt_of() {
  local suite=$1 state=$cache/apt/$1 source
  shift
  source="deb [arch=amd64 signed-by=$keyring] $mirror $suite main"
  if ! [ -f "$state/apt.conf" ] || [ "$(cat "$state/etc/sources.list")" != "$source" ]; then
    [ -r "$keyring" ] || die "no keyring $keyring: install debian-archive-keyring, or set LAB_KEYRING"
    rm -rf "$state"
    mkdir -p "$state/lists/partial" "$state/archives/partial" "$state/etc/none"
    : > "$state/status"
    echo "$source" > "$state/etc/sources.list"
    {
      apt-config dump | grep -E '^Acquire::[^"]*[^:"] "[^"]' |
        grep -vE '^Acquire::(IndexTargets|Languages|GzipIndexes|CompressionTypes|Changelogs|Allow)' || true
      cat <<CONFIGURATION
Dir::State "$state";
Dir::State::lists "$state/lists";
Dir::State::status "$state/status";
Dir::Cache "$state";
Dir::Cache::archives "$state/archives";
Dir::Etc "$state/etc";
Dir::Etc::sourcelist "$state/etc/sources.list";
Dir::Etc::sourceparts "$state/etc/none";
Dir::Etc::parts "$state/etc/none";
Dir::Etc::main "$state/etc/none";
APT::Architecture "amd64";
APT::Architectures { "amd64"; };
APT::Sandbox::User "";
APT::Get::AllowUnauthenticated "false";
Acquire::Languages "none";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
Acquire::Retries "3";
CONFIGURATION
    } > "$state/apt.conf.new"
    mv "$state/apt.conf.new" "$state/apt.conf"
  fi
  APT_CONFIG=$state/apt.conf "$@"
}

# Brings the list of suite $1 up to date: once a day, or at once with $2 = now. Where that fails a list that was signed as
# it should be, and is older, will do.
update_suite() {
  local stamp=$cache/apt/$1/updated
  apt_of "$1" true
  if [ "${2:-}" != now ] && [ -n "$(find "$stamp" -mtime -1 2> /dev/null)" ]; then return; fi
  say "reading what $mirror offers in $1"
  if apt_of "$1" apt-get -qq update -o APT::Update::Error-Mode=any > "$scratch/apt.log" 2>&1; then
    touch "$stamp"
    return
  fi
  cat "$scratch/apt.log" >&2
  [ -f "$stamp" ] ||
    die "Debian's archive ($mirror, $1) cannot be reached or is not signed as it should be; the lab needs it for" \
      "kernels. See the lines above; LAB_MIRROR names another mirror"
  say "going by the list of $(date -r "$stamp" -I)"
}

# Downloads package $2 of suite $1 and prints the file's path.
fetch() {
  local suite=$1 package=$2 folder=$cache/debs/$1
  mkdir -p "$folder"
  apt_of "$suite" apt-cache show --no-all-versions "$package" > "$scratch/package" 2> /dev/null || true
  [ -s "$scratch/package" ] || die "$package is not in $suite"
  local name file
  name=$(sed -n '/^Filename: /{s///p;q}' "$scratch/package")
  file=$folder/$(basename "$name")
  if ! [ -f "$file" ] || ! sha256sum --quiet -c - > /dev/null 2>&1 \
    <<< "$(sed -n '/^SHA256: /{s///p;q}' "$scratch/package")  $file"; then
    say "fetching $(basename "$name") ($(($(sed -n '/^Size: /{s///p;q}' "$scratch/package") / 1000000)) MB)"
    (cd "$scratch" && apt_of "$suite" apt-get -qq download "$package") > "$scratch/apt.log" 2>&1 || {
      cat "$scratch/apt.log" >&2
      # A list of yesterday may name what the archive no longer has.
      update_suite "$suite" now
      (cd "$scratch" && apt_of "$suite" apt-get -qq download "$package") > "$scratch/apt.log" 2>&1 ||
        { cat "$scratch/apt.log" >&2 && die "cannot fetch $package from $suite"; }
    }
    # There is one package in the folder; its name may be written with %3a for a colon.
    mv "$scratch"/*.deb "$file"
  fi
  echo "$file"
}
