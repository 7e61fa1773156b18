# The guest's file system: busybox, trace-cmd with its libraries, vfiomap, the kernel's modules, what is to be done, and
# where it is wanted pinstat itself. The same inputs make the same bytes. Sourced by the lab's scripts.
# shellcheck shell=bash disable=SC2154

# with_libraries TREE PROGRAM: copies a program to /usr/bin, and the shared libraries that ldd names to their own paths.
with_libraries() {
  local tree=$1 program=$2 path
  install -D -m 755 "$program" "$tree/usr/bin/$(basename "$program")"
  { ldd "$program" 2> /dev/null | grep -oE '/[^ ]+' || true; } | while read -r path; do
    install -D -m 755 "$(readlink -f "$path")" "$tree$path"
  done
}

# initramfs KERNEL-FOLDER TASK FILE: writes the image to FILE. $scratch/guest holds what goes to /lab (settings, plan).
initramfs() {
  local kernel=$1 task=$2 file=$3 tree=$scratch/initramfs busybox tracecmd
  busybox=$(command -v busybox) || die "busybox-static is needed"
  tracecmd=$(command -v trace-cmd) || die "trace-cmd is needed"
  rm -rf "$tree"
  mkdir -p "$tree"/{bin,lab,modules,usr/bin}
  install -m 755 "$busybox" "$tree/bin/busybox"
  ! ldd "$busybox" > /dev/null 2>&1 || with_libraries "$tree" "$busybox"
  with_libraries "$tree" "$tracecmd"
  install -m 755 "$(compiled vfiomap.c)" "$tree/usr/bin/vfiomap"
  install -m 755 "$(compiled guest/share.c)" "$tree/usr/bin/share"
  install -m 755 "$lab/guest/init" "$tree/init"
  install -m 644 "$lab/guest/$task" "$tree/lab/task"
  install -m 644 "$scratch/guest"/* "$tree/lab/"
  install -m 644 "$kernel/modules"/* "$tree/modules/"
  if [ -n "${PINSTAT_IN_GUEST:-}" ]; then with_libraries "$tree" "$PINSTAT_IN_GUEST"; fi
  find "$tree" -exec touch -hd @0 {} +
  (cd "$tree" && find . -print0 | sort -z | cpio -0 -o -H newc --reproducible --owner 0:0 --quiet) > "$file"
}

# Prints the program made of source $1, compiled once for each state of it.
compiled() {
  local source=$lab/$1 name program
  name=$(basename "$1" .c)
  program=$cache/$name.$(digest 12 < "$source")
  if ! [ -x "$program" ]; then
    say "compiling $name"
    ${CC:-gcc} -O2 -Wall -static -o "$scratch/$name" "$source" || die "$1 does not compile"
    mv "$scratch/$name" "$program"
  fi
  echo "$program"
}
