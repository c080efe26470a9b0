#!/bin/sh
# The compiler as cargo calls it for this crate alone, so that what it makes counts what runs.
exec "$@" -Cinstrument-coverage -Cllvm-args=-runtime-counter-relocation
