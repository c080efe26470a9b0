# Proxy programs and services behind them. Each proxy goes out from an address of its own, which the
# services answer with: so every call tells which way it took.
. ./support/sandbox.sh
. ./support/make_certificates.sh

authority ours
certificate good ours "IP:127.0.0.1, DNS:localhost, DNS:service.internal.test, DNS:only-the-proxy.test"
cat >"$files/servers.conf" <<END
server {
  listen 8443 ssl;
  ssl_certificate $files/good.pem;
  ssl_certificate_key $files/good.key;
  return 200 '{"token":"\$remote_addr"}';
}
server {
  listen 8080;
  return 200 '{"token":"\$remote_addr"}';
}
END
start_nginx

# The proxies alone know this name.
cat >"$files/hosts" <<END
127.0.0.1 localhost service.internal.test
::1 localhost
END
cat >"$files/proxy-hosts" <<END
127.0.0.1 localhost service.internal.test only-the-proxy.test
END
put "$files/hosts" /etc/hosts
# behind COMMAND…: with the proxies' names.
behind() {
  # shellcheck disable=SC2016 # for the inner shell
  unshare --mount sh -c 'mount --bind "$0" /etc/hosts; exec "$@"' "$files/proxy-hosts" "$@"
}

# start_tinyproxy PORT ADDRESS [SETTING]
start_tinyproxy() {
  cat >"$files/tinyproxy.$1" <<END
Port $1
Bind $2
Timeout 60
MaxClients 50
LogFile "$files/tinyproxy.$1.log"
LogLevel Connect
${3:-}
END
  behind tinyproxy -d -c "$files/tinyproxy.$1" >"$files/tinyproxy.$1.out" 2>&1 &
}
start_tinyproxy 3128 127.0.0.2
start_tinyproxy 3129 127.0.0.3 'BasicAuth user pa55-word'
start_tinyproxy 3130 127.0.0.4 'ConnectPort 443'
behind microsocks -i 127.0.0.1 -p 1080 -b 127.0.0.5 >"$files/microsocks.1080.out" 2>&1 &
behind microsocks -i 127.0.0.1 -p 1081 -b 127.0.0.6 -u 'us er' -P 'pa55:w/rd@%' >"$files/microsocks.1081.out" 2>&1 &

"$LOCAL_API" --port 0 --api-key test-key --seed 30 >"$files/local_api.url" &
until_true [ -s "$files/local_api.url" ]
wait_for 8443 8080 3128 3129 3130 1080 1081

$VALGRIND "$1" "$files" "$(cat "$files/local_api.url")"
