# How much of its thread's stack a call needs, with the longest chains of certificates that TLS takes
# and longer ones, for both libraries. Servers by nginx.
. ./support/sandbox.sh
. ./support/make_certificates.sh

# One key of each kind serves all authorities of its kind: making one of RSA takes its time.
quietly openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:4096 -out "$files/rsa4096.key"
quietly openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out "$files/p384.key"
authority ours
issuer=ours
chain=
for number in 1 2 3 4 5 6 7 8 9 10; do
  if [ $((number % 2)) -eq 0 ]; then kind=rsa4096; else kind=p384; fi
  cp "$files/$kind.key" "$files/between$number.key"
  certificate "between$number" "$issuer" CA
  issuer=between$number
  chain="$files/$issuer.pem $chain"
  case $number in
    6 | 10)
      cp "$files/rsa4096.key" "$files/below$number.key"
      certificate "below$number" "$issuer" "DNS:localhost, IP:127.0.0.1"
      # shellcheck disable=SC2086 # a list of files
      cat "$files/below$number.pem" $chain >"$files/chain$number.pem"
      ;;
  esac
done

# serve PORT CHAIN VERSION
serve() {
  cat <<END
server {
  listen $1 ssl;
  ssl_certificate $files/chain$2.pem;
  ssl_certificate_key $files/below$2.key;
  ssl_protocols TLSv$3;
  location / { return 200 '{"token":"here"}'; }
}
END
}

{
  serve 4612 6 1.2
  serve 4613 6 1.3
  serve 5012 10 1.2
  serve 5013 10 1.3
} >"$files/servers.conf"
start_nginx
wait_for 4612 4613 5012 5013

if [ -f "$LIB/libapivideo.a" ]; then
  cc -std=c11 -g -D_GNU_SOURCE -I../../include -I../c -I. -o "$OUT/stack_static" stack.c "$OUT/support.a" \
    "$LIB/libapivideo.a" -lgcc_s -lutil -lrt -lpthread -lm -ldl
  echo "libapivideo.a:"
  $VALGRIND "$OUT/stack_static" "$files"
fi
echo "libapivideo.so:"
$VALGRIND "$1" "$files"
