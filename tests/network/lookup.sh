# A network whose only name server is the test program itself, silent or not: the C library's own
# resolver asks it, by a resolv.conf that only this test sees.
. ./support/sandbox.sh

cat >"$files/resolv.conf" <<END
nameserver 127.0.0.53
options timeout:3 attempts:1
END
cat >"$files/nsswitch.conf" <<END
hosts: files dns
END
cat >"$files/hosts" <<END
127.0.0.1 localhost
END
for name in resolv.conf nsswitch.conf hosts; do put "$files/$name" "/etc/$name"; done
# systemd-resolved and nscd would be asked over sockets, past the network of the test's own.
for directory in /run/systemd/resolve /run/nscd; do
  [ ! -d "$directory" ] || mount -t tmpfs none "$directory"
done

$VALGRIND "$1"
