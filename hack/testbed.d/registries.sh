# shellcheck shell=bash
# Two docker-registry processes on the loopback: one open, one that asks for a password.

registry_address() { if [ "$1" = auth ]; then echo "$AUTH_REGISTRY"; else echo "$REGISTRY"; fi; }

# No cache of blob descriptors: the tests delete their repositories on disk.
registry_config() {
  cat <<END
version: 0.1
log: {level: info, accesslog: {disabled: false}}
storage: {filesystem: {rootdirectory: $TESTBED/$1/data}, delete: {enabled: true}}
http: {addr: '$2'}
END
  [ "$1" != auth ] || echo "auth: {htpasswd: {realm: testbed, path: $TESTBED/auth/htpasswd}}"
}

# htpasswd prints the only form that docker-registry takes: bcrypt.
htpasswd() {
  # shellcheck disable=SC2016 # perl's variables
  perl -e 'print "$ARGV[0]:", crypt($ARGV[1], q($2y$05$abcdefghijklmnopqrstuu)), "\n"' "$AUTH_USER" "$AUTH_PASSWORD"
}

# registry_runs is true if the recorded process is ours and alive.
registry_runs() {
  local pid
  pid=$(cat "$TESTBED/$1/pid" 2>/dev/null) && grep -qaF "$TESTBED/$1/config.yml" "/proc/$pid/cmdline" 2>/dev/null
}

# answers ADDRESS CODE: does a registry there answer so?
answers() { [ "$(curl -s -o /dev/null -m 5 -w '%{http_code}' "http://$1/v2/")" = "$2" ]; }

start_registry() {
  local name=$1 address=$2 dir=$TESTBED/$1 code=200
  [ "$name" != auth ] || code=401
  mkdir -p "$dir/data"
  if registry_runs "$name"; then
    [ "$(registry_config "$name" "$address")" != "$(cat "$dir/config.yml")" ] || return 0
    stop_registry "$name"
  fi
  ! (exec 3<>"/dev/tcp/${address%:*}/${address##*:}") 2>/dev/null ||
    die "port $address is taken by another program; end it, or set PEXKO_TESTBED_REGISTRY or PEXKO_TESTBED_AUTH_REGISTRY to another 127.0.0.1:PORT"
  registry_config "$name" "$address" >"$dir/config.yml"
  [ "$name" != auth ] || htpasswd >"$dir/htpasswd"
  sweep_registry "$name"
  setsid docker-registry serve "$dir/config.yml" >"$dir/log" 2>&1 </dev/null 9>&- &
  echo $! >"$dir/pid"
  await 100 answers "$address" "$code" || die "docker-registry at $address does not answer; its log: $dir/log"
  say "started $name at http://$address"
}

# await TENTHS COMMAND…: true as soon as the command is.
await() {
  local i tenths=$1
  shift
  for ((i = 0; i < tenths; i++)); do
    ! "$@" || return 0
    sleep 0.1
  done
  return 1
}

stop_registry() {
  local name=$1 pid
  if registry_runs "$name"; then
    pid=$(cat "$TESTBED/$name/pid")
    kill "$pid"
    await 100 registry_gone "$name" || die "$name (process $pid) does not end"
    say "stopped $name"
  fi
  rm -f "$TESTBED/$name/pid"
  sweep_registry "$name"
}

registry_gone() { ! registry_runs "$1"; }

# sweep_registry deletes what the tests pushed; testenv puts all of it below test/.
sweep_registry() {
  local dir=$TESTBED/$1
  [ -d "$dir/data/docker/registry/v2/repositories" ] || return 0
  rm -rf "$dir/data/docker/registry/v2/repositories/test"
  docker-registry garbage-collect "$dir/config.yml" >"$dir/sweep.log" 2>&1 || say "$dir was not swept; see $dir/sweep.log"
}
