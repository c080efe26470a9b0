# A token behind common reverse proxies, which decode a path and pass on what they make of it: what
# arrives is the token's own path, or nothing.
. ./support/sandbox.sh

program=$1
cat >"$files/servers.conf" <<END
log_format requests '\$request_method \$request_uri';
server {
  listen 4440;
  access_log off;
  location /resolved/ { proxy_pass http://127.0.0.1:4441/; }
  location /rewritten/ { rewrite ^/rewritten(/.*)\$ \$1 break; proxy_pass http://127.0.0.1:4441; }
  location /decoded/ { rewrite ^/decoded(/.*)\$ \$1 break; proxy_pass http://127.0.0.1:4441\$uri; }
}
server {
  listen 4441;
  access_log $files/arrived.log requests;
  merge_slashes off;
  location / { return 204; }
}
END
start_nginx
wait_for 4440 4441

# shellcheck disable=SC2086 # a command and its options
$VALGRIND "$program" calls
# Written down once it is answered, and one more so that all before it are.
until_true grep -q "^DELETE /upload-tokens/the-last\$" "$files/arrived.log"
elsewhere=$(grep -cv "^DELETE /upload-tokens/to1" "$files/arrived.log" || true)
sort "$files/arrived.log" | uniq -c
# shellcheck disable=SC2086
exec $VALGRIND "$program" checks "$((elsewhere - 1))" "$(grep -c "^DELETE /upload-tokens/to1" "$files/arrived.log" || true)"
