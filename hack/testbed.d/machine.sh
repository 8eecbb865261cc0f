# shellcheck shell=bash
# What the machine must have: Debian packages, and arm64 programs that start.

need_machine() {
  [ "$(uname -s)/$(uname -m)" = Linux/x86_64 ] || die "needs Linux on x86_64, this is $(uname -sm)"
  command -v apt-get >/dev/null || die "needs Debian or Ubuntu: there is no apt-get"
  [ "$(id -u)" = 0 ] || die "needs root: it installs packages, registers qemu and runs containers; run: sudo $0 up"
}

# packages pairs a command with the package that brings it.
packages() {
  cat <<'END'
podman podman
runc runc
skopeo skopeo
umoci umoci
docker-registry docker-registry
mmdebstrap mmdebstrap
arch-test arch-test
qemu-aarch64-static qemu-user-static
update-binfmts binfmt-support
strace strace
gcc gcc
curl curl
jq jq
perl perl-base
END
}

# debian_keyring prints the file of Debian's archive keys.
debian_keyring() {
  local file
  for file in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do
    [ ! -f "$file" ] || {
      echo "$file"
      return
    }
  done
  return 1
}

install_packages() {
  local command package missing=()
  while read -r command package; do
    command -v "$command" >/dev/null || missing+=("$package")
  done < <(packages)
  debian_keyring >/dev/null || missing+=(debian-archive-keyring)
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${missing[*]}"
  without_services apt_get update
  without_services apt_get install --no-install-recommends "${missing[@]}"
}

apt_get() {
  mkdir -p "$TESTBED"
  DEBIAN_FRONTEND=noninteractive apt-get -y -q "$@" >"$TESTBED/apt.log" 2>&1 || {
    tail -n 20 "$TESTBED/apt.log" >&2
    die "apt-get $1 ended with the error above; mend it and run hack/testbed up again"
  }
}

# without_services keeps docker-registry's package from starting a registry of its own, open to the network.
without_services() {
  local policy=/usr/sbin/policy-rc.d
  [ ! -e "$policy" ] || {
    "$@"
    return
  }
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  ("$@") || {
    rm -f "$policy"
    exit 1
  }
  rm -f "$policy"
}

BINFMT=/proc/sys/fs/binfmt_misc

# register_arm64 lets the kernel start arm64 programs by qemu, in containers too, if the machine allows it.
register_arm64() {
  arm64_starts || try_register || true
  if arm64_starts; then
    echo run >"$TESTBED/arm64"
    rm -f "$TESTBED/arm64.why"
  else
    echo static >"$TESTBED/arm64"
    why_static >"$TESTBED/arm64.why"
  fi
}

try_register() {
  [ -z "${PEXKO_TESTBED_NO_BINFMT-}" ] || return 1
  [ -e $BINFMT/register ] || mount -t binfmt_misc binfmt_misc $BINFMT 2>/dev/null || return 1
  update-binfmts --enable qemu-aarch64 >/dev/null 2>&1 || cat /usr/lib/binfmt.d/qemu-aarch64*.conf >$BINFMT/register 2>/dev/null
}

# arm64_starts is true if qemu is registered with the flag F: then the kernel holds the interpreter open and a container need not contain it.
arm64_starts() {
  [ -z "${PEXKO_TESTBED_NO_BINFMT-}" ] && grep -qs '^flags:.*F' $BINFMT/qemu-aarch64 && arch-test arm64 >/dev/null 2>&1
}

why_static() {
  if [ -n "${PEXKO_TESTBED_NO_BINFMT-}" ]; then
    echo "PEXKO_TESTBED_NO_BINFMT is set"
  elif [ ! -e $BINFMT/register ]; then
    echo "binfmt_misc cannot be mounted at $BINFMT (no such kernel module, or no right to mount)"
  else
    echo "qemu-aarch64 is not registered with flag F in $BINFMT"
  fi
}

# arm64 prints "run" if arm64 containers run here, else "static".
arm64() {
  if [ "$(cat "$TESTBED/arm64" 2>/dev/null)" = run ] && arm64_starts; then echo run; else echo static; fi
}
