# Certificates made by openssl, in $files. Sourced after sandbox.sh.
# shellcheck shell=sh disable=SC2034,SC2154 # names from and for the scripts that source it

long_ago=20200101000000Z
last_year=$(($(date +%Y) - 1))0101000000Z
far_off=20990101000000Z

mkdir -p "$files/issued"
: >"$files/index.txt"
cat >"$files/openssl.cnf" <<END
[req]
distinguished_name = name
[name]
[ca]
default_ca = test
[test]
database = $files/index.txt
new_certs_dir = $files/issued
rand_serial = yes
unique_subject = no
default_md = sha256
policy = anything
[anything]
commonName = supplied
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
END

quietly() {
  if ! "$@" >"$files/openssl.log" 2>&1; then
    cat "$files/openssl.log" >&2
    exit 1
  fi
}

# key NAME [RSA]
key() {
  if [ "${2:-}" = RSA ]; then
    quietly openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$files/$1.key"
  else
    quietly openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$files/$1.key"
  fi
}

# authority NAME: NAME.pem and NAME.key, signed by itself.
authority() {
  key "$1"
  quietly openssl req -x509 -config "$files/openssl.cnf" -extensions authority -days 30 \
    -key "$files/$1.key" -subj "/CN=apivideo test $1" -out "$files/$1.pem"
}

# certificate NAME ISSUER SUBJECT_ALT_NAME [FROM [TO [RSA]]]: NAME.pem and NAME.key; ISSUER may be
# NAME itself. With "CA" for SUBJECT_ALT_NAME it is an authority, with "" it has none.
certificate() {
  [ -f "$files/$1.key" ] || key "$1" "${6:-}"
  extensions="-extfile $files/$1.ext"
  case $3 in
    CA) extensions="-extensions authority" ;;
    '') echo "basicConstraints = CA:FALSE" >"$files/$1.ext" ;;
    *) printf 'basicConstraints = CA:FALSE\nsubjectAltName = %s\n' "$3" >"$files/$1.ext" ;;
  esac
  quietly openssl req -new -config "$files/openssl.cnf" -key "$files/$1.key" \
    -subj "/CN=apivideo test $1" -out "$files/$1.csr"
  if [ "$1" = "$2" ]; then signer="-selfsign"; else signer="-cert $files/$2.pem"; fi
  # shellcheck disable=SC2086 # lists of words
  quietly openssl ca -batch -notext -config "$files/openssl.cnf" $signer -keyfile "$files/$2.key" \
    -startdate "${4:-$long_ago}" -enddate "${5:-$far_off}" $extensions \
    -in "$files/$1.csr" -out "$files/$1.pem"
}
