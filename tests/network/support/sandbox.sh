# Sourced first by a test's script: runs the rest of it in a network, a mount table and a process
# table of its own, so that every port is free, no file of the machine is changed, and nothing that
# the test starts outlives it. Sets `files`, a directory of the test's own. Needs root, or a system
# that lets its users have namespaces.
set -eu
# What the test's program is run by, with options; or nothing.
: "${VALGRIND:=}"

# Not on every user's path.
PATH=$PATH:/usr/sbin:/sbin

if [ -z "${IN_SANDBOX:-}" ]; then
  rights=
  [ "$(id -u)" -eq 0 ] || rights=--map-root-user
  # shellcheck disable=SC2086 # a word or nothing
  if ! unshare --net --mount --pid --fork $rights true; then
    echo "this test needs namespaces: run it as root" >&2
    exit 1
  fi
  # shellcheck disable=SC2086
  IN_SANDBOX=yes exec unshare --net --mount --pid --fork --mount-proc --kill-child $rights sh "$0" "$@"
fi

ip link set lo up
# A machine's own settings would lead elsewhere.
unset HTTPS_PROXY HTTP_PROXY ALL_PROXY NO_PROXY https_proxy http_proxy all_proxy no_proxy
unset SSL_CERT_FILE SSL_CERT_DIR

files=$OUT/$(basename "$0" .sh).files
rm -rf "$files"
mkdir -p "$files"

# until_true COMMAND…: waits until it succeeds.
until_true() {
  tries=200
  until "$@"; do
    tries=$((tries - 1))
    if [ "$tries" -eq 0 ]; then
      echo "still not true after 10 s: $*" >&2
      exit 1
    fi
    sleep 0.05
  done
}

# is_served PORT: whether someone listens on it.
is_served() {
  [ -n "$(ss -Hltn "sport = :$1")" ]
}

# wait_for PORT…: until all are served.
wait_for() {
  for port in "$@"; do until_true is_served "$port"; done
}

# put FILE AT: lets the whole test see FILE in place of the system's.
put() {
  mount --bind "$1" "$(readlink -f "$2")"
}

# start_nginx: with the servers of $files/servers.conf.
start_nginx() {
  mkdir -p "$files/nginx"
  cat >"$files/nginx.conf" <<END
user root root;
daemon off;
master_process off;
pid $files/nginx/pid;
error_log $files/nginx/error.log;
events {}
http {
  client_body_temp_path $files/nginx/body;
  proxy_temp_path $files/nginx/proxy;
  fastcgi_temp_path $files/nginx/fastcgi;
  uwsgi_temp_path $files/nginx/uwsgi;
  scgi_temp_path $files/nginx/scgi;
  log_format fields '\$server_port \$connection \$ssl_protocol \$ssl_session_reused \$remote_addr \$request_method';
  access_log $files/access.log fields;
  default_type application/json;
  include $files/servers.conf;
}
END
  nginx -c "$files/nginx.conf" -p "$files/nginx" 2>"$files/nginx.err" &
}
