# The machine: QEMU with an emulated Intel IOMMU and one small PCI device of its own IOMMU group for vfio-pci. Sourced by
# the lab's scripts.
# shellcheck shell=bash disable=SC2154,SC2034

qemu=${QEMU:-qemu-system-x86_64}
timeout=${TIMEOUT:-1200}
until_up=

# machine_command MEGABYTES ACCELERATOR SEED BOOT-OPTIONS sets `command`, to be run where vmlinuz and initramfs are.
# The clock: `instructions` counts one nanosecond an executed instruction, and skips idle time; everything else that
# could differ between two boots (random numbers, the date) comes from SEED, so a boot repeats instruction by instruction.
machine_command() {
  local megabytes=$1 accelerator=$2 seed=$3 options=$4 cpu=max engine=() kernel_line
  case $accelerator in
    kvm) cpu=host engine=(-accel kvm) ;;
    tcg) engine=(-accel "tcg,thread=single") ;;
    instructions) engine=(-accel "tcg,thread=single" -icount "shift=0,sleep=off" -rtc "base=2026-01-01,clock=vm") ;;
    *) die "no accelerator $accelerator" ;;
  esac
  kernel_line="console=ttyS0 loglevel=4 panic=-1 intel_iommu=on tsc=reliable no_timer_check nokaslr mitigations=off nowatchdog"
  kernel_line+=" transparent_hugepage=madvise${options:+ $options}"
  command=("$qemu" -nodefaults -no-user-config -no-reboot -display none -monitor none
    -machine "q35,kernel-irqchip=split" -cpu "$cpu" "${engine[@]}" -smp "${CPUS:-1}" -m "$megabytes" -seed "$seed"
    -device "intel-iommu,intremap=on,snoop-control=on,aw-bits=48"
    -device "pcie-root-port,id=rp0,chassis=1" -device "edu,bus=rp0"
    -object "memory-backend-file,id=shared,share=on,size=512M,mem-path=shared"
    -device "ivshmem-plain,memdev=shared" -serial "file:console.log"
    -kernel vmlinuz -initrd initramfs -append "$kernel_line")
}

# machine FOLDER KERNEL-FOLDER INITRAMFS: boots `command`, shows the guest's own lines, and unpacks what it hands back
# into FOLDER/out; console.log and the command stay beside it.
machine() {
  local folder=$1 kernel=$2 initramfs=$3
  rm -rf "$folder"
  mkdir -p "$folder"
  ln -s "$kernel/vmlinuz" "$folder/vmlinuz"
  ln "$initramfs" "$folder/initramfs" 2> /dev/null || cp "$initramfs" "$folder/initramfs"
  truncate -s 512M "$folder/shared"
  printf '%q ' "${command[@]}" > "$folder/command"
  command -v "$qemu" > /dev/null || die "no $qemu: install qemu-system-x86"

  # One machine at a time on this host, whichever cache it works in: a clock on the wall would see the other.
  exec {lock}< "$(command -v "$qemu")"
  if ! flock -n "$lock"; then
    say "waiting for another lab's machine"
    # In the background, so that a signal is heard meanwhile.
    flock "$lock" &
    wait $!
  fi
  : > "$folder/console.log"
  (cd "$folder" && exec nice -n 10 "${command[@]}" 2> qemu.log) &
  machine_pid=$!
  watch_machine "$folder"
  exec {lock}>&-
  if [ -n "$until_up" ]; then return; fi

  mkdir -p "$folder/out"
  if ! tar -xf "$folder/shared" -C "$folder/out" 2> /dev/null || ! [ -f "$folder/out/code" ]; then
    console "$folder"
    die "the guest ended without a result"
  fi
  rm -f "$folder/shared"
  if [ "$(cat "$folder/out/code")" != 0 ]; then
    console "$folder"
    die "the guest's task failed with $(cat "$folder/out/code")"
  fi
}

# Waits for the machine; ends it when the time is up, or, with until_up set, as soon as the guest's first process runs.
watch_machine() {
  local folder=$1 shown=0 start=$SECONDS line count
  while kill -0 "$machine_pid" 2> /dev/null; do
    sleep 0.5
    count=$(grep -c '^lab-guest: ' "$folder/console.log" || true)
    if [ "$count" -gt "$shown" ]; then
      grep '^lab-guest: ' "$folder/console.log" | sed -n "$((shown + 1)),${count}p" | tr -d '\r' |
        while read -r line; do say "  $line"; done
      shown=$count
      if [ -n "$until_up" ]; then
        touch "$folder/probed"
        break
      fi
    fi
    if [ $((SECONDS - start)) -ge "$timeout" ]; then
      kill -KILL "$machine_pid"
      wait "$machine_pid" 2> /dev/null || true
      machine_pid=
      [ -z "$until_up" ] || return 0
      console "$folder"
      die "the guest was not done after $timeout s (TIMEOUT) and was ended"
    fi
  done
  if [ -n "$until_up" ]; then kill -KILL "$machine_pid" 2> /dev/null || true; fi
  wait "$machine_pid" 2> /dev/null || true
  machine_pid=
  if [ -s "$folder/qemu.log" ] && [ -z "$until_up" ]; then say "QEMU says: $(tail -n 3 "$folder/qemu.log")"; fi
}

console() {
  say "the last lines of the guest's console ($1/console.log):"
  tail -n 25 "$1/console.log" | tr -d '\r' | sed 's/^/    /' >&2
}

# Sets `accelerator_here` to kvm where /dev/kvm boots this kernel to its first process, else to tcg. That /dev/kvm exists
# proves little: nested virtualization may stop a stock kernel early.
probe_accelerator() {
  local kernel=$1 initramfs=$2 patience=$timeout
  accelerator_here=tcg
  if ! [ -w /dev/kvm ]; then
    say "no /dev/kvm here: software emulation"
    return
  fi
  say "trying /dev/kvm"
  until_up=yes timeout=30
  machine_command 1024 kvm 1 ""
  machine "$scratch/probe" "$kernel" "$initramfs"
  until_up='' timeout=$patience
  if [ -f "$scratch/probe/probed" ]; then
    say "it works"
    accelerator_here=kvm
  else
    say "it does not boot this kernel: software emulation"
  fi
}
