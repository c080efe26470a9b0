# Authorities of the system's and of a file; how often they are read is counted by strace.
. ./support/sandbox.sh
. ./support/make_certificates.sh

program=$1
authority ours
certificate good ours "IP:127.0.0.1, DNS:localhost"
mkdir "$files/directory" "$files/no-certificates"
authority other
# The name by which OpenSSL finds a certificate in a directory.
cp "$files/other.pem" "$files/directory/$(openssl x509 -hash -noout -in "$files/other.pem").0"
: >"$files/empty"
{ cat "$files/ours.pem"; echo garbage; } >"$files/ours-and-garbage.pem"
{
  echo "-----BEGIN CERTIFICATE-----"
  echo "bm90IGEgY2VydGlmaWNhdGU="
  echo "-----END CERTIFICATE-----"
} >"$files/no-certificate.pem"
cat "$files/no-certificate.pem" "$files/ours.pem" >"$files/partly-good.pem"
sed '$d' "$files/ours.pem" >"$files/cut-off.pem"
{
  echo "-----BEGIN CERTIFICATE-----"
  echo "*not base64*"
  echo "-----END CERTIFICATE-----"
} >"$files/not-base64.pem"
# The forms in which a certificate is met.
printf '\357\273\277' >"$files/mark"
cat "$files/mark" "$files/ours.pem" >"$files/mark.pem"
cat "$files/mark" "$files/other.pem" "$files/mark.pem" >"$files/marks.pem"
sed 's/$/\r/' "$files/ours.pem" >"$files/crlf.pem"
sed 's/^/  /' "$files/ours.pem" >"$files/indented.pem"
sed 's/ CERTIFICATE-/ X509 CERTIFICATE-/' "$files/ours.pem" >"$files/x509.pem"
quietly openssl x509 -in "$files/ours.pem" -addtrust serverAuth -setalias ours -trustout \
  -out "$files/trusted.pem"
quietly openssl x509 -in "$files/ours.pem" -addtrust emailProtection -trustout -out "$files/for-mail.pem"
quietly openssl x509 -in "$files/ours.pem" -addreject serverAuth -trustout -out "$files/distrusted.pem"
quietly openssl x509 -in "$files/other.pem" -addreject serverAuth -trustout -out "$files/trusted-or-not.pem"
cat "$files/trusted.pem" >>"$files/trusted-or-not.pem"
{
  printf '# Autorit\351\n'
  openssl x509 -in "$files/other.pem" -text
  cat "$files/other.key"
  openssl x509 -in "$files/ours.pem" -text
  echo "-- end --"
} >"$files/with-text.pem"
cat >"$files/servers.conf" <<END
server {
  listen 4431 ssl;
  ssl_certificate $files/good.pem;
  ssl_certificate_key $files/good.key;
  return 200 '{"token":"here"}';
}
END
start_nginx
wait_for 4431

# opens WHAT PATTERN: how often a program that makes clients as WHAT opens a file of that name.
opens() {
  # shellcheck disable=SC2086 # a command and its options
  SSL_CERT_FILE=$files/ours.pem SSL_CERT_DIR=$files/directory \
    strace -f -e trace=open,openat,openat2 -o "$files/$1.strace" $VALGRIND "$program" "$files" "$1"
  grep -c "$2" "$files/$1.strace" || true
}

# Where Debian and most others have them: a bundle, and a directory with the same ones again.
system=/etc/ssl/certs
mount -t tmpfs none "$system"
$VALGRIND "$program" "$files" none
cp "$files/not-base64.pem" "$system"
$VALGRIND "$program" "$files" none
rm "$system/not-base64.pem"
for form in ours mark marks crlf trusted x509 with-text indented; do
  SSL_CERT_FILE=$files/$form.pem $VALGRIND "$program" "$files" system
done
# Of a list of directories one will do.
mkdir "$files/with-ours"
cp "$files/ours.pem" "$files/with-ours"
SSL_CERT_DIR=$files/missing:$files/no-certificates::$files/with-ours $VALGRIND "$program" "$files" system
cp "$files/ours.pem" "$system/ca-certificates.crt"
cp "$files/ours.pem" "$system/$(openssl x509 -hash -noout -in "$files/ours.pem").0"
# shellcheck disable=SC2086
strace -f -e trace=open,openat,openat2 -o "$files/system.strace" $VALGRIND "$program" "$files" system
system_bundle=$(grep -c "$system/ca-certificates.crt" "$files/system.strace" || true)
system_directory=$(grep -c "$system/.*\.0" "$files/system.strace" || true)
# Variables that are empty say nothing.
SSL_CERT_FILE="" SSL_CERT_DIR="" $VALGRIND "$program" "$files" system
# Without a bundle the directory does.
rm "$system/ca-certificates.crt"
$VALGRIND "$program" "$files" system
SSL_CERT_FILE="" SSL_CERT_DIR="" $VALGRIND "$program" "$files" system

bundle="$files/ours.pem"
exec $VALGRIND "$program" "$files" checks \
  "$(opens three "$bundle")" "$(grep -c "$files/directory/.*\.0" "$files/three.strace")" \
  "$(opens threads "$bundle")" "$(opens plain "$bundle")" "$(opens ca_file "$bundle")" \
  "$system_bundle" "$system_directory"
