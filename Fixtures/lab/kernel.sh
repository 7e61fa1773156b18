# Kernels: a stock one of Debian by its version, one of your own by its image or build tree, or a stock one with another
# vfio_iommu_type1.ko. Sourced by the lab's scripts.
# shellcheck shell=bash disable=SC2154

suites=${SUITES:-trixie-backports bookworm trixie bookworm-backports}

# What the guest loads, in this order, besides what these need.
guest_modules="vfio_iommu_type1 vfio-pci"

# kernel SPECIFICATION [MODULES] prepares a kernel and prints its folder:
#   vmlinuz, modules/*.ko, modules/order (that of loading), description
kernel() {
  local specification=$1 modules=${2:-}
  case $specification in
    *.ko)
      [ -f "$specification" ] || die "no module $specification"
      kernel_with_module "$specification"
      ;;
    *)
      if [ -d "$specification" ]; then
        [ -f "$specification/arch/x86/boot/bzImage" ] ||
          die "$specification is not a built kernel tree: it has no arch/x86/boot/bzImage"
        own_kernel "$specification/arch/x86/boot/bzImage" "${modules:-$specification}"
      elif [ -f "$specification" ]; then
        own_kernel "$specification" "$modules"
      elif [[ $specification == */* ]]; then
        die "no kernel $specification"
      else
        stock_kernel "$specification"
      fi
      ;;
  esac
}

# Prints SUITE PACKAGE for 6.17, 6.17.13, 6.17.13+deb13, 6.1-cloud, or a package's full name, each also with @SUITE.
resolve() {
  local wanted=${1%@*} where=$suites suite found flavour=amd64 version
  [[ $1 == *@* ]] && where=${1##*@}
  for suite in $where; do
    update_suite "$suite"
    if [[ $wanted == linux-image-* ]]; then
      found=$wanted
    else
      version=${wanted#linux-image-}
      [[ $version == *-cloud ]] && flavour=cloud-amd64 version=${version%-cloud}
      [[ $version =~ ^[0-9][0-9a-z.+~-]*$ ]] || die "$wanted is not a kernel's version, package, file or folder"
      # 6.1 is 6.1.0-50 and 6.1.176, not 6.12; the newest counts.
      found=$(apt_of "$suite" apt-cache pkgnames "linux-image-$version" |
        grep -E "^linux-image-${version//[.+]/\\&}([.+-][0-9a-z.+]*)?(-[0-9]+)?(\+deb[0-9.]+)?-$flavour\$" |
        sort -V | tail -n 1) || true
    fi
    if [ -n "$found" ] && apt_of "$suite" apt-cache show --no-all-versions "$found" 2> /dev/null | grep . > /dev/null; then
      echo "$suite $found"
      return
    fi
  done
  {
    echo "lab: the archive offers these kernels:"
    for suite in $where; do
      apt_of "$suite" apt-cache pkgnames linux-image- | sed -nE 's/^linux-image-([0-9][0-9a-z.+~-]*)-amd64$/\1/p' |
        grep -vE -- '-(cloud|rt)$' | sort -V | paste -s -d' ' | sed "s/^/$suite: /" | fold -s -w 100
    done
  } >&2
  die "no kernel $wanted in Debian's $where; backports drop versions as newer ones come"
}

stock_kernel() {
  local suite package folder tree release
  # The exact name of a kernel that is here already needs no archive.
  if [[ $1 == linux-image-* ]] && [ -f "$cache/kernels/$1/description" ]; then
    echo "$cache/kernels/$1"
    return
  fi
  resolve "$1" > "$scratch/resolved"
  read -r suite package < "$scratch/resolved"
  folder=$cache/kernels/$package
  if ! [ -f "$folder/description" ]; then
    tree=$scratch/tree
    release=${package#linux-image-}
    mkdir -p "$tree"
    local debs=() deb part
    # At first all is in one package; from 7.x the modules and the image proper have packages of their own.
    for part in "$package" "linux-binary-$release" "linux-modules-$release"; do
      [ "$part" = "$package" ] || apt_of "$suite" apt-cache show "$part" 2> /dev/null | grep . > /dev/null || continue
      deb=$(fetch "$suite" "$part")
      debs+=("$deb")
      say "unpacking $(basename "$deb")"
      dpkg -x "$deb" "$tree"
    done
    local image=$tree/boot/vmlinuz-$release
    [ -f "$image" ] || image=$tree/usr/lib/modules/$release/vmlinuz
    [ -f "$image" ] || die "$package has no vmlinuz where it is known to be"
    collect "$folder" "$image" "$tree"
    {
      echo "kernel: $package $(dpkg-deb -f "${debs[0]}" Version) of Debian's $suite"
      (cd "$(dirname "${debs[0]}")" && for deb in "${debs[@]}"; do
        echo "package: $(sha256sum "$(basename "$deb")")"
      done)
    } > "$folder/description.new"
    mv "$folder/description.new" "$folder/description"
    rm -rf "$tree"
  fi
  echo "$folder"
}

own_kernel() {
  local image=$1 modules=$2 folder
  [ -z "$modules" ] || [ -d "$modules" ] || die "no folder of modules $modules"
  [ "$(dd if="$image" bs=1 skip=514 count=4 2> /dev/null | tr -d '\0')" = HdrS ] || die "$image is not a bzImage"
  folder=$scratch/kernel.$(basename "$image").$RANDOM
  collect "$folder" "$image" "$modules"
  echo "kernel: $(basename "$image"), sha256 $(sha256sum "$image" | cut -d' ' -f1)" > "$folder/description"
  kept "$folder"
}

kernel_with_module() {
  local module=$1 release stock folder
  release=$(modinfo -F vermagic "$module" | cut -d' ' -f1) || die "$module is not a kernel module"
  [ "$(modinfo -F name "$module")" = vfio_iommu_type1 ] || die "$module is not vfio_iommu_type1.ko"
  stock=$(stock_kernel "linux-image-$release")
  folder=$scratch/kernel.module.$RANDOM
  cp -r "$stock" "$folder"
  cp "$module" "$folder/modules/vfio_iommu_type1.ko"
  echo "module: vfio_iommu_type1.ko replaced, sha256 $(sha256sum "$module" | cut -d' ' -f1)" >> "$folder/description"
  kept "$folder"
}

# Moves a prepared kernel into the cache under its content, and prints the folder.
kept() {
  local folder
  folder=$cache/kernels/own.$(cd "$1" && find . -type f -print0 | sort -z | xargs -0 sha256sum | digest 12)
  rm -rf "$folder"
  mv "$1" "$folder"
  echo "$folder"
}

# collect FOLDER IMAGE TREE: the image and those modules below TREE that the guest needs, unpacked. A module that is not
# there is taken to be built in.
collect() {
  local folder=$1 image=$2 tree=$3 module
  rm -rf "$folder"
  mkdir -p "$folder/modules"
  cp "$image" "$folder/vmlinuz"
  : > "$scratch/modules"
  [ -z "$tree" ] || find "$tree" -name '*.ko' -o -name '*.ko.xz' -o -name '*.ko.zst' -o -name '*.ko.gz' > "$scratch/modules"
  : > "$folder/modules/order"
  for module in $guest_modules; do collect_module "$folder" "$module"; done
}

collect_module() {
  local folder=$1 name=${2//-/_} path target needed
  target=$folder/modules/$name.ko
  if ! [ -f "$target" ]; then
    path=$(grep -E "/${name//_/[-_]}\.ko(\.[a-z]+)?\$" "$scratch/modules") || true
    path=${path%%$'\n'*}
    [ -n "$path" ] || return 0
    case $path in
      *.xz) xz -dc "$path" > "$target" ;;
      *.zst) zstd -dqc "$path" > "$target" ;;
      *.gz) gzip -dc "$path" > "$target" ;;
      *) cp "$path" "$target" ;;
    esac
    # With the symbols, without the debugging sections that a build tree leaves in.
    [ "$(stat -c %s "$target")" -lt 1000000 ] || strip --strip-debug "$target"
  fi
  for needed in $(modinfo -F depends "$target" | tr ',' ' '); do collect_module "$folder" "$needed"; done
  grep -qx "$name" "$folder/modules/order" || echo "$name" >> "$folder/modules/order"
}
