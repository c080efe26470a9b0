# Servers with good and bad certificates: nginx, and openssl s_server for what nginx cannot do.
. ./support/sandbox.sh
. ./support/make_certificates.sh

authority ours
authority other
names="IP:127.0.0.1, IP:::1, DNS:localhost, DNS:service.test, DNS:*.wild.test"
certificate good ours "$names"
certificate rsa ours "$names" "$long_ago" "$far_off" RSA
certificate expired ours "$names" "$long_ago" "$last_year"
certificate early ours "$names" "$far_off" 20990201000000Z
certificate elsewhere ours "DNS:elsewhere.test, IP:127.0.0.77"
certificate nameless ours ""
certificate strange other "$names"
certificate for-clients ours "$names
extendedKeyUsage = clientAuth"
certificate alone alone "$names"
certificate between ours CA
certificate below between "$names"
certificate old-between ours CA "$long_ago" "$last_year"
certificate below-old old-between "$names"
cat "$files/below.pem" "$files/between.pem" >"$files/chain.pem"
cat "$files/below-old.pem" "$files/old-between.pem" >"$files/old-chain.pem"
# As most people make one, with openssl's own settings: an authority and a server's in one.
quietly openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
  -config "$files/openssl.cnf" -addext "basicConstraints = critical, CA:TRUE" \
  -addext "subjectAltName = $names" \
  -keyout "$files/both.key" -out "$files/both.pem" -subj "/CN=localhost"

# serve PORT CERTIFICATE KEY [SETTINGS]: a server block.
serve() {
  cat <<END
server {
  listen $1 ssl;
  listen [::]:$1 ssl ipv6only=on;
  ssl_certificate $files/$2.pem;
  ssl_certificate_key $files/$3.key;
  ${4:-}
  location / { return 200 '{"token":"here"}'; }
}
END
}

# A body of several TLS records, without a told length, since it might have been changed on the way.
{
  printf '{"token":"long","padding":"'
  head -c 60000 /dev/zero | tr '\0' x
  printf '"}'
} >"$files/long.json"

{
  serve 4431 good good
  serve 4432 expired expired
  serve 4433 early early
  serve 4434 elsewhere elsewhere
  serve 4435 alone alone
  serve 4436 strange strange
  serve 4437 chain below
  serve 4438 below below
  serve 4439 good good "ssl_protocols TLSv1.2;"
  serve 4440 good good "ssl_protocols TLSv1.3;"
  serve 4441 good good "ssl_protocols TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0;"
  serve 4442 good good "ssl_verify_client on; ssl_client_certificate $files/ours.pem;"
  serve 4443 good good "ssl_protocols TLSv1.3; keepalive_requests 1;"
  serve 4444 good good "ssl_protocols TLSv1.2; keepalive_requests 1;"
  serve 4445 good good \
    "ssl_protocols TLSv1.2; keepalive_requests 1; ssl_session_tickets off; ssl_session_cache shared:sessions:1m;"
  serve 4446 both both
  serve 4447 nameless nameless
  serve 4448 old-chain below-old
  serve 4449 rsa rsa
  serve 4454 for-clients for-clients
  serve 4452 good good "ssl_protocols TLSv1.2;"
  serve 4453 good good "ssl_protocols TLSv1.3;"
  echo "server { listen 4450; return 200 '{\"token\":\"here\"}'; }"
  echo "server {
    listen 4451 ssl;
    ssl_protocols TLSv1.2;
    ssl_certificate $files/good.pem;
    ssl_certificate_key $files/good.key;
    root $files;
    chunked_transfer_encoding off;
    ssi on;
    ssi_types *;
    location / { try_files /long.json =500; }
  }"
} >"$files/servers.conf"
start_nginx

for version in 2 3; do
  openssl s_server -accept "446$version" "-tls1_$version" -cert "$files/good.pem" \
    -key "$files/good.key" -CAfile "$files/ours.pem" -Verify 1 -verify_return_error -www \
    >"$files/s_server.$version" 2>&1 </dev/null &
done

cat >"$files/hosts" <<END
127.0.0.1 localhost service.test a.wild.test a.b.wild.test wild.test
END
put "$files/hosts" /etc/hosts
wait_for 4431 4432 4433 4434 4435 4436 4437 4438 4439 4440 4441 4442 4443 4444 4445 4446 4447 4448 \
  4449 4450 4451 4452 4453 4454 4462 4463

SSL_CERT_FILE=$files/ours.pem $VALGRIND "$1" "$files"
