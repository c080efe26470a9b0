# Names with several addresses, of which only this test's files know.
. ./support/sandbox.sh

cat >"$files/nsswitch.conf" <<END
hosts: files
END
cat >"$files/hosts" <<END
127.0.0.1 localhost
::1 dual.test three.test
127.0.0.1 dual.test three.test
127.0.0.2 three.test
END
for last in $(seq 1 40); do echo "127.0.1.$last many.test"; done >>"$files/hosts"
echo 'multi on' >"$files/host.conf"
for name in nsswitch.conf hosts host.conf; do
  [ ! -e "/etc/$name" ] || put "$files/$name" "/etc/$name"
done

$VALGRIND "$1"
