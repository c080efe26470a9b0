# Servers with certificates of every kind, each openssl's own; and what OpenSSL thinks of each. What is
# refused here and not there is listed in docs/CERTIFICATES.md.
. ./support/sandbox.sh
. ./support/make_certificates.sh

mkdir -p "$files/www"
printf 'HTTP/1.1 200 OK\r\nContent-Length: 16\r\nConnection: close\r\n\r\n{"token":"here"}' >"$files/www/upload-tokens"

# make_key NAME KIND: RSA:BITS, RSA-PSS, a curve or an algorithm.
make_key() {
  case $2 in
    RSA:*) quietly openssl genpkey -algorithm RSA -pkeyopt "rsa_keygen_bits:${2#RSA:}" -out "$files/$1.key" ;;
    RSA-PSS) quietly openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out "$files/$1.key" ;;
    ED*) quietly openssl genpkey -algorithm "$2" -out "$files/$1.key" ;;
    *) quietly openssl genpkey -algorithm EC -pkeyopt "ec_paramgen_curve:$2" -out "$files/$1.key" ;;
  esac
}

# issue NAME KIND ISSUER DIGEST EXTENSIONS [SUBJECT]: NAME.pem and NAME.key; without EXTENSIONS it is of
# X.509's version 1; DIGEST may be "-", the algorithm's own.
issue() {
  make_key "$1" "$2"
  digest=
  [ "$4" = - ] || digest=-$4
  # The file is written where `printf` takes \n for line ends.
  printf '[extensions]\n%b\n' "$5" >"$files/$1.ext"
  with=
  [ -z "$5" ] || with="-extfile $files/$1.ext -extensions extensions"
  quietly openssl req -new -config "$files/openssl.cnf" -key "$files/$1.key" -subj "${6:-/O=Test/CN=$1}" \
    -out "$files/$1.csr"
  if [ "$1" = "$3" ]; then signer="-signkey $files/$1.key"; else
    signer="-CA $files/$3.pem -CAkey $files/$3.key -set_serial 0x$(openssl rand -hex 8)"
  fi
  # shellcheck disable=SC2086 # lists of words
  quietly openssl x509 -req -in "$files/$1.csr" $signer $digest -days 30 $with -out "$files/$1.pem"
}

ca='basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\nsubjectKeyIdentifier = hash'
host='basicConstraints = CA:FALSE\nsubjectAltName = DNS:localhost'

# root KIND DIGEST NAME, and between NAME EXTENSIONS [KIND]: authorities, of which the second are ours'.
root() { issue "$3" "$1" "$3" "$2" "$ca"; }
between() {
  issue "$1" "${3:-P-256}" ours sha256 "$ca\n$2"
  echo "$1" >>"$files/between"
}

root P-256 sha256 ours
root P-384 sha384 root-p384
root P-521 sha512 root-p521
root secp256k1 sha256 root-secp256k1
root RSA:1024 sha256 root-rsa1024
root RSA:2048 sha256 root-rsa
root RSA-PSS sha256 root-rsa-pss
root brainpoolP256r1 sha256 root-brainpool
root ED25519 - root-ed25519
issue root-v1 RSA:2048 root-v1 sha256 ''
issue root-sha1 RSA:2048 root-sha1 sha1 "$ca"
between policies 'certificatePolicies = critical, 2.5.29.32.0'
between policy-constraints 'certificatePolicies = 2.5.29.32.0\npolicyConstraints = critical, requireExplicitPolicy:0'
between any-policy 'inhibitAnyPolicy = critical, 0'
between dns-names 'nameConstraints = critical, permitted;DNS:localhost'
between other-names 'nameConstraints = critical, permitted;DNS:elsewhere.test'
between directory-names 'nameConstraints = critical, permitted;dirName:name\n[name]\nO = Test'
between for-servers 'extendedKeyUsage = serverAuth'
between between-p521 '' P-521

: >"$files/rows"
port=5000
# serve NAME AUTHORITY CERTIFICATE [OPTIONS]: CERTIFICATE.pem on a port of its own, to be tried with
# AUTHORITY.pem alone.
serve() {
  port=$((port + 1))
  echo "$1 $port $2" >>"$files/rows"
  log=$files/$1.log
  certificate=$files/$3
  shift 3
  (cd "$files/www" && exec openssl s_server -accept "$port" -cert "$certificate.pem" -key "$certificate.key" \
    -cipher ALL:@SECLEVEL=0 -HTTP -quiet "$@" >"$log" 2>&1 </dev/null) &
}
# leaf NAME KIND ISSUER DIGEST EXTENSIONS [SUBJECT]: issued and served, by its root or one that is between.
leaf() {
  issue "$@"
  if grep -qx "$3" "$files/between"; then
    serve "$1" ours "$1" -cert_chain "$files/$3.pem"
  else
    serve "$1" "$3" "$1"
  fi
}

leaf p256 P-256 ours sha256 "$host"
leaf p384 P-384 ours sha256 "$host"
leaf rsa2048 RSA:2048 root-rsa sha256 "$host"
leaf rsa4096 RSA:4096 root-rsa sha512 "$host"
leaf ed25519 ED25519 ours sha256 "$host"
leaf of-p384 P-256 root-p384 sha384 "$host"
leaf of-ed25519 P-256 root-ed25519 - "$host"
leaf of-v1 P-256 root-v1 sha256 "$host"
leaf of-sha1-root P-256 root-sha1 sha256 "$host"
leaf of-dns-names P-256 dns-names sha256 "$host"
leaf of-for-servers P-256 for-servers sha256 "$host"
leaf p521 P-521 ours sha256 "$host"
leaf ed448 ED448 ours sha256 "$host"
leaf rsa1024 RSA:1024 ours sha256 "$host"
leaf rsa-pss RSA-PSS ours sha256 "$host"
leaf brainpool brainpoolP256r1 ours sha256 "$host"
leaf of-rsa-pss P-256 root-rsa-pss sha256 "$host"
leaf of-brainpool P-256 root-brainpool sha256 "$host"
leaf of-p521 P-256 root-p521 sha256 "$host"
leaf of-between-p521 P-256 between-p521 sha256 "$host"
leaf of-secp256k1 P-256 root-secp256k1 sha256 "$host"
leaf of-rsa1024 P-256 root-rsa1024 sha256 "$host"
leaf ecdsa-sha512 P-256 ours sha512 "$host"
leaf ecdsa-sha1 P-256 ours sha1 "$host"
leaf sha1 RSA:2048 root-rsa sha1 "$host"
leaf md5 RSA:2048 root-rsa md5 "$host"
leaf v1 P-256 ours sha256 '' /CN=localhost
leaf unknown-critical P-256 ours sha256 "$host\n1.2.3.4 = critical, ASN1:UTF8String:x"
leaf critical-policies P-256 ours sha256 "$host\ncertificatePolicies = critical, 2.5.29.32.0"
leaf of-policies P-256 policies sha256 "$host"
leaf of-policy-constraints P-256 policy-constraints sha256 "$host\ncertificatePolicies = 2.5.29.32.0"
leaf of-any-policy P-256 any-policy sha256 "$host"
leaf of-directory-names P-256 directory-names sha256 "$host" /O=Test/CN=localhost
leaf of-other-names P-256 other-names sha256 "$host"
leaf common-name P-256 ours sha256 'basicConstraints = CA:FALSE' /CN=localhost
leaf dotted P-256 ours sha256 'basicConstraints = CA:FALSE\nsubjectAltName = DNS:localhost.'
leaf no-host P-256 ours sha256 'subjectAltName = URI:https://localhost/, email:a@localhost, RID:1.2.3.4'
leaf any-purpose P-256 ours sha256 "$host\nextendedKeyUsage = anyExtendedKeyUsage"
issue itself P-256 itself sha256 'basicConstraints = critical, CA:TRUE\nsubjectAltName = DNS:localhost'
serve itself itself itself
# Trusted itself, and its issuer not.
issue own P-256 ours sha256 "$host"
serve own own own

# What servers speak.
serve tls1.1 root-rsa rsa2048 -tls1_1
serve cbc root-rsa rsa2048 -tls1_2 -cipher ECDHE-RSA-AES256-SHA384
serve rsa-exchange root-rsa rsa2048 -tls1_2 -cipher AES128-GCM-SHA256
serve dhe root-rsa rsa2048 -tls1_2 -cipher DHE-RSA-AES128-GCM-SHA256
serve group-p521 root-rsa rsa2048 -groups P-521
serve chacha root-rsa rsa2048 -tls1_2 -cipher ECDHE-RSA-CHACHA20-POLY1305

# shellcheck disable=SC2046 # a list of ports
wait_for $(cut -d' ' -f2 "$files/rows")

# What OpenSSL says of each, without its own limits: "takes" or "refuses".
while read -r name port authority; do
  if openssl s_client -connect "127.0.0.1:$port" -servername localhost -verify_hostname localhost \
    -verify_return_error -partial_chain -CAfile "$files/$authority.pem" -cipher ALL:@SECLEVEL=0 \
    >"$files/$name.client" 2>&1 </dev/null; then verdict=takes; else verdict=refuses; fi
  echo "$name $port $authority $verdict"
done <"$files/rows" >"$files/verdicts"

$VALGRIND "$1" "$files"
