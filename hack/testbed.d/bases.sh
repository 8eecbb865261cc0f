# shellcheck shell=bash
# The base images: Debian by mmdebstrap for amd64; for arm64 the same packages, extracted.
#
# arm64 programs run ten times slower under qemu, or not at all where it cannot be registered, and a base must be the same on every
# machine. So arm64 packages are extracted, not configured, and what amd64's maintainer scripts generated (passwd, certificates,
# alternatives) is taken over: all of it is text and links. Bytecode is compiled for the arm64 sources by the amd64 base's
# python3, which is the same version: a pyc serves every architecture.

# libstdc++6 is what manylinux wheels (numpy) expect of a system; debian:*-slim and python:*-slim have it by way of apt.
PYTHON_PACKAGES=base-files,usr-is-merged,netbase,tzdata,ca-certificates,libstdc++6,python3-minimal,libpython3-stdlib,python3

# recipe NAME: one line that changes when the base must be built anew.
recipe() {
  case $1 in
  bookworm | trixie) echo "3 $1 $PYTHON_PACKAGES" ;;
  nopython) echo "1 bookworm busybox-static,base-files" ;;
  local) echo "1 $(layout_digest "$TESTBED/bases/bookworm") $(cpython312)" ;;
  esac
}

build_bases() {
  local job jobs=()
  rm -rf --one-file-system "$TESTBED"/work.*
  ensure_base nopython build_nopython & jobs+=($!)
  ensure_base bookworm build_debian bookworm keep & jobs+=($!)
  ensure_base trixie build_debian trixie drop & jobs+=($!)
  for job in "${jobs[@]}"; do wait "$job" || die "the bases are not complete"; done
  if cpython312 >/dev/null; then
    ensure_base local build_local
  else
    echo "no CPython 3.12 in ~/.pyenv/versions or the runner's tool cache; PEXKO_TESTBED_CPYTHON312 may name a prefix" >"$TESTBED/local.why"
    rm -rf "$TESTBED/bases/local"
  fi
}

# ensure_base NAME BUILD…: calls BUILD… with a layout to fill and a directory to work in, unless the base of this recipe is there.
ensure_base() {
  local name=$1 key work began=$SECONDS
  shift
  key=$(recipe "$name")
  [ "$(cat "$TESTBED/bases/$name/.recipe" 2>/dev/null)" != "$key" ] || return 0
  say "building bases/$name"
  work=$(mktemp -d "$TESTBED/work.XXXXXX")
  mkdir "$work/layout" "$work/tmp"
  # A subshell that is no condition: only so does errexit reach into it.
  set +e
  (
    set -e
    "$@" "$work/layout" "$work/tmp" 9>&-
  )
  local code=$?
  set -e
  [ $code = 0 ] || die "bases/$name was not built, see above; its work was in $work"
  rm -f "$work/layout/work"
  echo "$key" >"$work/layout/.recipe"
  mkdir -p "$TESTBED/bases"
  [ ! -e "$TESTBED/bases/$name" ] || mv "$TESTBED/bases/$name" "$work/old"
  mv "$work/layout" "$TESTBED/bases/$name"
  rm -rf --one-file-system "$work"
  say "built bases/$name in $((SECONDS - began)) s"
}

# debian_mirror prints the Debian archive that this machine itself uses; nothing elsewhere, where mmdebstrap knows one.
debian_mirror() {
  local id codename uri
  [ -z "${PEXKO_TESTBED_DEBIAN_MIRROR-}" ] || {
    echo "$PEXKO_TESTBED_DEBIAN_MIRROR"
    return
  }
  id=$(sed -n 's/^ID=//p' /etc/os-release)
  codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
  [ "$id" = debian ] || return 0
  uri=$(
    cat /etc/apt/sources.list.d/*.sources 2>/dev/null | awk -v RS= -v suite="$codename" '$0 ~ "(^|\n)Suites:[^\n]* " suite "( |\n|$)" && match($0, /(^|\n)URIs:[ ]*[^ \n]+/) {
      uri = substr($0, RSTART, RLENGTH); sub(/.*URIs:[ ]*/, "", uri); print uri; exit }'
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | sed -nE "s/^deb (\[[^]]*\] )?([^ ]+) $codename .*/\2/p"
  )
  uri=${uri%%$'\n'*}
  case $uri in mirror+file:*) uri=$(head -n1 "${uri#mirror+file:}" | cut -f1) ;; esac
  echo "$uri"
}

# strap VARIANT ARCH SUITE PACKAGES TREE [OPTION…]
strap() {
  local variant=$1 arch=$2 suite=$3 packages=$4 tree=$5 mirror
  shift 5
  mirror=$(debian_mirror)
  mmdebstrap --mode=root --format=tar --variant="$variant" --architectures="$arch" --include="$packages" --keyring="$(debian_keyring)" \
    --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/info/*' "$@" \
    "$suite" "$tree.tar" ${mirror:+"deb $mirror $suite main"} 2>"$tree.log" || {
    tail -n 30 "$tree.log" >&2
    return 1
  }
  mkdir "$tree"
  tar -C "$tree" -xf "$tree.tar" --exclude='./dev/*'
  rm "$tree.tar"
}

# tidy TREE: takes away what belongs to the machine that built it, and what a container engine puts there.
tidy() {
  (
    cd "$1"
    rm -rf etc/apt/sources.list etc/hostname etc/resolv.conf etc/hosts etc/mtab etc/fstab etc/machine-id
    rm -rf var/cache/* var/log/* var/lib/apt/* var/lib/dpkg/*-old var/lib/dpkg/lock* var/lib/dpkg/triggers/Lock
  )
}

# build_debian SUITE keep|drop LAYOUT WORK: keep or drop is for bytecode.
build_debian() {
  local suite=$1 pyc=$2 layout=$3 work=$4 arch images=()
  strap essential amd64 "$suite" "$PYTHON_PACKAGES" "$work/amd64"
  tidy "$work/amd64"
  build_foreign "$suite" "$work"
  for arch in amd64 arm64; do
    [ "$pyc" = keep ] || find "$work/$arch" -depth -name __pycache__ -exec rm -rf {} +
    images+=("$(add_debian_image "$suite" "$arch" "$layout" "$work")")
  done
  finish_layout "$layout" 1 "${images[@]}"
}

# build_foreign SUITE WORK: WORK/arm64 from arm64's packages and what was generated in WORK/amd64.
build_foreign() {
  local suite=$1 work=$2 packages
  packages=$(awk '$1 == "Package:" {print $2}' "$work/amd64/var/lib/dpkg/status" | paste -sd,)
  strap extract arm64 "$suite" "$packages" "$work/arm64" --skip=check/qemu,cleanup/apt/cache
  record_packages "$work/arm64"
  same_python "$work"
  generated "$work/amd64" | tar -C "$work/amd64" --null --no-recursion -T - -cf - | tar -C "$work/arm64" --skip-old-files -xf -
  take_links "$work"
  qemu-aarch64-static "$work/arm64/sbin/ldconfig" -r "$work/arm64" # a static program, so that qemu needs no more than it
  tidy "$work/arm64"
  compile "$work"
}

# take_links WORK: a directory of a package that amd64's scripts made a link (/var/run) becomes one.
take_links() {
  local link
  find "$1/amd64" -mindepth 2 -type l -printf '%P\n' | while read -r link; do
    [ ! -d "$1/arm64/$link" ] || [ -L "$1/arm64/$link" ] || {
      rmdir "$1/arm64/$link"
      cp -P "$1/amd64/$link" "$1/arm64/$link"
    }
  done
}

# record_packages TREE: writes dpkg's database, which extraction alone leaves empty.
record_packages() {
  local deb name info=$1/var/lib/dpkg/info
  mkdir -p "$info"
  : >"$1/var/lib/dpkg/status"
  for deb in "$1"/var/cache/apt/archives/*.deb; do
    name=$(dpkg-deb -f "$deb" Package)
    [ "$(dpkg-deb -f "$deb" Multi-Arch)" != same ] || name=$name:arm64
    dpkg-deb -f "$deb" | sed '/^Package:/a Status: install ok installed' >>"$1/var/lib/dpkg/status"
    echo >>"$1/var/lib/dpkg/status"
    dpkg-deb --fsys-tarfile "$deb" | tar -t | sed -e 's,^\./*,/,' -e 's,^/$,/.,' -e 's,\(.\)/$,\1,' >"$info/$name.list"
  done
}

# same_python WORK: both architectures must hold one Python, to the last digit.
same_python() {
  local arch versions=()
  for arch in amd64 arm64; do
    versions+=("$(awk '/^Package: libpython3\.[0-9]+-minimal$/ {p = 1} p && $1 == "Version:" {print $2; exit}' "$1/$arch/var/lib/dpkg/status")")
  done
  [ "${versions[0]%+b*}" = "${versions[1]%+b*}" ] || die "the mirror holds Python ${versions[0]} for amd64 and ${versions[1]} for arm64; try again when it has caught up"
}

# generated TREE: what no package owns, NUL-terminated, but for caches, bytecode and what names an architecture.
generated() {
  (
    cd "$1"
    # Packages name /bin/x where the tree has /usr/bin/x.
    cat var/lib/dpkg/info/*.list | sed -E 's,^/(s?bin|lib)(/|$),/usr/\1\2,' | sort -u >"$1.owned"
    find . -mindepth 1 \( -path './var/lib/dpkg/[!ad]*' -o -path './var/lib/dpkg/arch*' -o -path ./etc/ld.so.cache -o -name '*.pyc' -o -path './lib*' \) \
      -prune -o -printf '/%P\n' |
      sort | comm -23 - "$1.owned" | sed 's,^/,,' | tr '\n' '\0'
  )
}

# compile WORK: what python3's own maintainer scripts do, done for WORK/arm64 by the python3 of WORK/amd64.
compile() {
  mkdir "$1/amd64/mnt/arm64"
  mv "$1/arm64/usr" "$1/amd64/mnt/arm64/usr"
  # shellcheck disable=SC2016 # the inner shell's
  chroot "$1/amd64" /bin/sh -c 'python3 -S -m compileall -q -s /mnt/arm64 -p / /mnt/arm64/usr/lib/python3.* /mnt/arm64/usr/share/python3'
  mv "$1/amd64/mnt/arm64/usr" "$1/arm64/usr"
  rmdir "$1/amd64/mnt/arm64"
}

# newest_source TREE: the time after which everything was generated. Times are cut to it, so that a base says nothing about when it was built;
# sources keep theirs, which bytecode records.
newest_source() { find "$1" -name '*.py' -printf '%T@\n' | sort -n | tail -n1 | cut -d. -f1; }

# pack TREE TAR EPOCH [NAME…]: everything, or what is named.
pack() {
  local tree=$1 tar=$2 epoch=$3 names
  shift 3
  names=("$@")
  [ $# -gt 0 ] || mapfile -t names < <(find "$tree" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort)
  tar -C "$tree" --sort=name --numeric-owner --format=posix --pax-option=delete=atime,delete=ctime --clamp-mtime --mtime="@$epoch" \
    --exclude='dev/*' --exclude='proc/*' --exclude='sys/*' -cf "$tar" "${names[@]}"
}

DEBIAN_PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# add_debian_image SUITE ARCH LAYOUT WORK
add_debian_image() {
  local epoch layer
  epoch=$(newest_source "$4/amd64")
  pack "$4/$2" "$4/$2.tar" "$epoch"
  layer=$(add_layer "$3" "$4/$2.tar")
  add_image "$3" "$2" "$epoch" "$(base_config "$1" python3 "PATH=$DEBIAN_PATH")" "$layer"
}

# base_config VERSION COMMAND ENV…
base_config() {
  local version=$1 command=$2
  shift 2
  jq -nc --arg version "$version" --arg command "$command" '{Env: $ARGS.positional, Cmd: [$command], Labels: {"org.opencontainers.image.version": $version}}' --args "$@"
}

# build_nopython LAYOUT WORK
build_nopython() {
  local layout=$1 work=$2 arch images=() epoch layer
  for arch in amd64 arm64; do
    strap extract "$arch" bookworm busybox-static,base-files "$work/$arch" --skip=check/qemu
    tidy "$work/$arch"
    "$work/amd64/bin/busybox" --list | while read -r name; do ln -s busybox "$work/$arch/usr/bin/$name" 2>/dev/null || true; done
    epoch=$(stat -c %Y "$work/amd64/usr/bin/busybox")
    pack "$work/$arch" "$work/$arch.tar" "$epoch"
    layer=$(add_layer "$layout" "$work/$arch.tar")
    images+=("$(add_image "$layout" "$arch" "$epoch" "$(base_config bookworm sh "PATH=$DEBIAN_PATH")" "$layer")")
  done
  finish_layout "$layout" 1 "${images[@]}"
}

# cpython312 prints the prefix of a CPython 3.12 that can be copied.
cpython312() {
  local prefix
  for prefix in ${PEXKO_TESTBED_CPYTHON312:+"$PEXKO_TESTBED_CPYTHON312"} ~/.pyenv/versions/3.12.* "${RUNNER_TOOL_CACHE:-/opt/hostedtoolcache}"/Python/3.12.*/x64; do
    [ -x "$prefix/bin/python3.12" ] || continue
    readlink -f "$prefix"
    return
  done
  return 1
}

# build_local LAYOUT WORK: bookworm's layer as it is, and one with CPython in /usr/local.
build_local() {
  local layout=$1 work=$2 prefix tree=$2/tree bookworm=$TESTBED/bases/bookworm lower upper version epoch
  prefix=$(cpython312)
  lower=$(layout_layers "$bookworm" amd64)
  mkdir -p "$tree" "$layout/blobs/sha256"
  ln "$(blob "$bookworm" "$(jq -r .descriptor.digest <<<"$lower")")" "$layout/blobs/sha256/"
  tar -C "$tree" -xzf "$(blob "$bookworm" "$(jq -r .descriptor.digest <<<"$lower")")"
  epoch=$(newest_source "$tree")
  copy_cpython "$prefix" "$tree/usr/local"
  chroot "$tree" /sbin/ldconfig
  version=$(chroot "$tree" /usr/local/bin/python3 -B -c 'import platform, ssl, sqlite3, ctypes, lzma, bz2, zlib, readline, uuid; print(platform.python_version())') ||
    die "the CPython in $prefix does not run on Debian 12; PEXKO_TESTBED_CPYTHON312 may name another"
  : >"$tree/etc/.wh.issue.net" # a file of the lower layer, deleted: as an image's later steps do
  pack "$tree" "$work/upper.tar" "$epoch" etc/.wh.issue.net etc/ld.so.cache usr/local
  upper=$(add_layer "$layout" "$work/upper.tar")
  finish_layout "$layout" 1 "$(add_image "$layout" amd64 "$epoch" \
    "$(base_config "$version-slim" python3 "PATH=/usr/local/bin:$DEBIAN_PATH" LANG=C.UTF-8 "PYTHON_VERSION=$version")" "$lower" "$upper")"
}

# copy_cpython PREFIX TO: as the official images ship it: no tests, no bytecode, no static library, pip alone in site-packages.
# What names the old prefix names /usr/local; the library path in the executables is overwritten in place by a shorter one.
copy_cpython() {
  local from=$1 to=$2
  mkdir -p "$to"
  tar -C "$from" --exclude=__pycache__ --exclude='*.pyc' --exclude='libpython*.a' --exclude='lib/python3.12/test' --exclude=tests --exclude=idle_test \
    --exclude=share --exclude='lib/python3.12/site-packages/*' -cf - . | tar -C "$to" --no-same-owner -xf -
  tar -C "$from" --exclude=__pycache__ -cf - lib/python3.12/site-packages/pip lib/python3.12/site-packages/README.txt \
    --wildcards --no-anchored 'pip-*.dist-info' 2>/dev/null | tar -C "$to" --no-same-owner -xf - || true
  grep -rIlZ -F "$from" "$to" | xargs -0r sed -i "s,$from,/usr/local,g" || true
  # shellcheck disable=SC2016 # perl's variables
  grep -rlZ -F "$from/lib" "$to" | FROM="$from/lib" xargs -0r perl -pi -e 'BEGIN { $f = $ENV{FROM}; $t = q($ORIGIN/../lib); $t .= "\0" x (length($f) - length $t) } s/\Q$f\E(?=\0)/$t/g'
  ln -sf python3.12 "$to/bin/python3"
  ln -sf python3 "$to/bin/python"
}

layout_digest() { jq -r '.manifests[0].digest' "$1/index.json"; }

bases_here() { find "$TESTBED/bases" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' 2>/dev/null | sort; }

# describe_base NAME: its platforms and which bytecode it has.
describe_base() {
  local platforms what
  platforms=$(jq -r '[.manifests[].platform.architecture] | join(", ")' "$(blob "$TESTBED/bases/$1" "$(layout_digest "$TESTBED/bases/$1")")")
  case $1 in
  bookworm) what="python3 3.11, with the standard library's bytecode" ;;
  trixie) what="python3 3.13, no bytecode" ;;
  local) what="CPython 3.12 in /usr/local, no bytecode there, before Debian's 3.11" ;;
  *) what="no Python" ;;
  esac
  echo "$platforms; $what"
}

# push_bases brings the registry up to date; what it holds already is not sent again.
push_bases() {
  local name held
  for name in $(bases_here); do
    held=$(curl -sI -m 10 -H 'Accept: application/vnd.oci.image.index.v1+json' "http://$REGISTRY/v2/base/$name/manifests/1" |
      tr -d '\r' | sed -n 's/^docker-content-digest: //Ip')
    [ "$held" != "$(layout_digest "$TESTBED/bases/$name")" ] || continue
    skopeo copy -q --all --dest-tls-verify=false "oci:$TESTBED/bases/$name:1" "docker://$REGISTRY/base/$name:1" ||
      die "bases/$name was not pushed to $REGISTRY"
  done
}
