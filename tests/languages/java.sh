#!/bin/sh
# Builds and runs the Java wrapper, its example and its tests, against an installed library: java.sh,
# with PREFIX (where it is installed), LOCAL_API (the stand-in service) and OUT (a scratch directory).
set -eu

# Where Debian's libjna-java puts it.
jna=${JNA_JAR:-/usr/share/java/jna.jar}
missing=
for command in javac java; do
  command -v "$command" >/dev/null 2>&1 || missing="$missing $command"
done
[ -f "$jna" ] || missing="$missing $jna"
[ -z "$missing" ] || {
  echo "java: missing:$missing: apt-get install --no-install-recommends default-jdk-headless libjna-java" >&2
  exit 1
}

here=$(cd "$(dirname "$0")" && pwd)
work=$OUT/java
rm -rf "$work"
cp -R "$here/../../examples/java" "$work"
cd "$work"
# What the README shows compiles, too.
{
  for package in apivideo java.io java.lang.ProcessBuilder java.nio.file java.time; do echo "import $package.*;"; done
  echo 'final class Readme { static String key, token; static void readme() throws Exception {'
  sed -n '/^```java$/,/^```$/{s/^```java$/{/;s/^```$/}/;p;}' README.md
  echo '}}'
} >Readme.java
javac -encoding UTF-8 -Xlint:all -Werror -cp "$jna" -d classes Example.java Readme.java apivideo/*.java

classpath=$jna:classes
export classpath PREFIX
# In a locale without UTF-8, which no string may depend on.
"$here/../support/launch.py" --as java env LC_ALL=C "$here/with_local_api.sh" "$LOCAL_API" sh -euc '
  java -Djna.library.path="$PREFIX/lib" -cp "$classpath" Example >example.log
  grep -q " is valid until " example.log
  java -Djna.library.path="$PREFIX/lib" -cp "$classpath" apivideo.ApiVideoTest >tests.log 2>&1 ||
    { cat tests.log; exit 1; }
'
# None at all is a failure.
passed=$(grep -c "^ok" tests.log)
echo "java: $passed passed"
