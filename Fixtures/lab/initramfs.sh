# The guest's file system: busybox, trace-cmd with its libraries, vfiomap, the kernel's modules, what is to be done, and
# where it is wanted pinstat itself. The same inputs make the same bytes. Sourced by the lab's scripts.
# shellcheck shell=bash disable=SC2154

# with_libraries TREE PROGRAM: copies a program and the shared libraries that ldd names, to their own paths.
with_libraries() {
  local tree=$1 program=$2 path
  { echo "$program"; ldd "$program" 2> /dev/null | grep -oE '/[^ ]+' || true; } | while read -r path; do
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
  install -m 755 "$(vfiomap)" "$tree/usr/bin/vfiomap"
  install -m 755 "$lab/guest/init" "$tree/init"
  install -m 644 "$lab/guest/$task" "$tree/lab/task"
  install -m 644 "$scratch/guest"/* "$tree/lab/"
  install -m 644 "$kernel/modules"/* "$kernel"/load.* "$tree/modules/"
  if [ -n "${PINSTAT_IN_GUEST:-}" ]; then with_guest_pinstat "$tree"; fi
  find "$tree" -exec touch -hd @0 {} +
  (cd "$tree" && find . -print0 | sort -z | cpio -0 -o -H newc --reproducible --owner 0:0 --quiet) > "$file"
}

# The mapper, compiled once for each state of its source.
vfiomap() {
  local program
  program=$cache/vfiomap.$(digest 12 < "$lab/vfiomap.c")
  if ! [ -x "$program" ]; then
    say "compiling vfiomap"
    ${CC:-gcc} -O2 -Wall -static -o "$scratch/vfiomap" "$lab/vfiomap.c" || die "vfiomap does not compile"
    mv "$scratch/vfiomap" "$program"
  fi
  echo "$program"
}
