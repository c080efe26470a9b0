# A program with rights of its own, run by somebody who set its environment. Root makes it setuid, setgid
# and gives it capabilities; in a namespace without root's other users, the last alone is to be had.
. ./support/sandbox.sh
. ./support/make_certificates.sh

program=$1
authority ours
authority attackers
certificate good ours "IP:127.0.0.1, DNS:localhost"
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

# What the system trusts, and a place where a program may have rights.
hash=$(openssl x509 -hash -noout -in "$files/ours.pem").0
mount -t tmpfs -o mode=755 none /etc/ssl/certs
cp "$files/ours.pem" /etc/ssl/certs/ca-certificates.crt
cp "$files/ours.pem" "/etc/ssl/certs/$hash"
place=/mnt
mount -t tmpfs -o mode=755 none "$place"
mkdir "$place/attackers"
cp "$files/attackers.pem" "$place/attackers.pem"
cp "$files/attackers.pem" "$place/attackers"
for kind in plain setuid setgid capable; do cp "$program" "$place/$kind"; done
# Whatever the umask was.
chmod -R a+rX "$place" /etc/ssl/certs

# call WHAT EXPECTED COMMAND…: what is tried, what is to be told, and what is told, for the program to
# compare.
call() {
  printf '%s\n%s\n' "$1" "$2" >>"$files/calls"
  shift 2
  "$@" >>"$files/calls" 2>&1
}
proxy=https_proxy=http://127.0.0.1:3199
file=SSL_CERT_FILE=$place/attackers.pem
directory=SSL_CERT_DIR=$place/attackers
missing=SSL_CERT_FILE=$place/missing
bytes=$(printf 'all_proxy=\377')

# That each of them would be obeyed.
call "plain, $proxy" "cannot connect to 127.0.0.1:3199" env "$proxy" "$place/plain" call
call "plain, $file" "issuer" env "$file" "$place/plain" call
call "plain, $directory" "issuer" env "$directory" "$place/plain" call
call "plain, $missing" "SSL_CERT_FILE" env "$missing" "$place/plain" call
call "plain, all_proxy is not UTF-8" "all_proxy" env "$bytes" "$place/plain" call

# privileged WAY COMMAND…: none is, by a program that is run so.
privileged() {
  way=$1
  shift
  for said in "$proxy" "$file" "$directory" "$missing" "$bytes"; do
    call "privileged by $way, ${said%%=*}" AV_STATUS_OK env "$said" "$@" call
  done
  call "privileged by $way, all at once" AV_STATUS_OK env "$proxy" "$file" "$directory" "$@" call
  # Without the bundle that would be looked for beside what the environment names, too.
  mv /etc/ssl/certs/ca-certificates.crt "$files"
  call "privileged by $way, no bundle" AV_STATUS_OK env "$file" "$directory" "$@" call
  mv "$files/ca-certificates.crt" /etc/ssl/certs
}

setcap cap_net_bind_service+ep "$place/capable"
# Nobody's id, whatever its name is.
other=65534
if [ "$(awk '{ users += $3 } END { print (users > 65534) }' /proc/self/uid_map)" = 1 ]; then
  as_other="setpriv --reuid $other --regid $other --clear-groups"
  chmod 4755 "$place/setuid"
  chgrp "$other" "$place/setgid"
  chmod 2755 "$place/setgid"
  # shellcheck disable=SC2086 # a command and its options
  privileged setuid $as_other "$place/setuid"
  privileged setgid "$place/setgid"
  # Root has all capabilities anyway. What the loader needs may be root's alone: one more lets others read it.
  setcap cap_dac_read_search+ep "$place/capable"
  # shellcheck disable=SC2086
  privileged capabilities $as_other "$place/capable"
else
  privileged capabilities unshare --user --map-user=1000 "$place/capable"
fi
$VALGRIND "$program" "$files/calls"
