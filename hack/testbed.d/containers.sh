# shellcheck shell=bash
# podman with storage of its own, so that neither the machine's images nor its settings are in the tests' way.

configure_podman() {
  local dir=$TESTBED/podman
  mkdir -p "$dir"
  cat >"$dir/registries.conf" <<END
unqualified-search-registries = []
[[registry]]
location = "$REGISTRY"
insecure = true
[[registry]]
location = "$AUTH_REGISTRY"
insecure = true
END
  # Limits: podman's defaults are higher than what a sandbox may set, and setting them would fail.
  cat >"$dir/containers.conf" <<END
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "$RUN/libpod"
[containers]
log_driver = "k8s-file"
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
END
  export CONTAINERS_CONF=$dir/containers.conf CONTAINERS_STORAGE_CONF=$dir/storage.conf CONTAINERS_REGISTRIES_CONF=$dir/registries.conf
  [ -f "$dir/storage.conf" ] || choose_storage
}

# choose_storage takes overlay, or where the file system or the sandbox forbids it, vfs: slow, but it runs everywhere.
choose_storage() {
  local driver file=$TESTBED/podman/storage.conf
  for driver in overlay vfs; do
    printf '[storage]\ndriver = "%s"\ngraphroot = "%s"\nrunroot = "%s"\n' "$driver" "$TESTBED/podman/storage" "$RUN/storage" >"$file"
    ! podman info >/dev/null 2>&1 || return 0
  done
  podman info >&2 || true
  rm -f "$file"
  die "podman does not start; its message is above"
}

# try_containers starts the smallest base on each platform that shall run.
try_containers() {
  run_busybox amd64 || die "podman cannot run a container; its message is above"
  [ "$(arm64)" = run ] || return 0
  run_busybox arm64 || {
    echo static >"$TESTBED/arm64"
    echo "podman could not run an arm64 container" >"$TESTBED/arm64.why"
  }
}

run_busybox() {
  local image
  image=$(podman pull -q --platform "linux/$1" "$REGISTRY/base/nopython:1" 9>&-) &&
    podman run --rm --network=none --runtime runc --passwd=false "$image" /bin/true 9>&-
}

forget_containers() {
  [ -f "$TESTBED/podman/storage.conf" ] && command -v podman >/dev/null || return 0
  configure_podman
  podman rm -af >/dev/null 2>&1 || true
  podman rmi -af >/dev/null 2>&1 || say "podman's images were not removed; see podman images with the environment of hack/testbed env"
}
