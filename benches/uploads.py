"""Ways to upload, and what a MiB more of each adds to what valgrind and strace count."""

import contextlib

import measure
from measure import MIB

# What a stream takes by default.
PART_MIB = 8


class Way:
    """This library is told by its environment how to upload. Its peers know of no parts: they are passed a
    file for each, and upload one after another."""

    def __init__(self, what, parts=True, **settings):
        self.what, self.parts = what, parts
        self.environment = settings | ({"PART_MIB": PART_MIB} if parts else {})

    @contextlib.contextmanager
    def files(self, mib, peer=False):
        """What a program is to be passed: a small file, by which it gets connection and buffers, and then
        what has so many MiB."""
        split = peer and self.parts
        with measure.files(MIB, (PART_MIB if split else mib) * MIB) as (small, file):
            yield [small] + [file] * (mib // PART_MIB if split else 1)


WHOLE = Way("uploaded", parts=False)
STREAMED = Way("streamed", STREAM=1)
AT_ONCE = Way("uploaded by 4 parts at once", PARALLEL_PARTS=4)
STREAMED_AT_ONCE = Way("streamed by 4 parts at once", STREAM=1, PARALLEL_PARTS=4)


def added_by_a_mib(count, way, peer):
    """What one MiB more adds to `count(files)`."""
    # Valgrind takes its time for copies; but threads have all to be there before what is counted begins.
    few, many = (16, 48) if way is STREAMED else (64, 192)
    with way.files(few, peer) as shorter, way.files(many, peer) as longer:
        return (count(longer) - count(shorter)) / (many - few)


def instructions_per_mib(program, url, way, peer=False):
    """User instructions by which a MiB is uploaded."""
    return added_by_a_mib(
        lambda files: measure.counted_instructions(program, url, *files, **way.environment), way, peer)


def system_calls_per_mib(program, url, way, peer=False, **environment):
    """System calls by which a MiB is uploaded."""
    environment |= way.environment
    return added_by_a_mib(
        lambda files: sum(measure.counted_system_calls(program, url, *files, **environment).values()), way, peer)


def allocations(program, url, way):
    """How many times a warm upload of one part takes something from the heap, its result included."""
    with measure.files(MIB) as (file,):
        return measure.added_by_a_call(
            lambda uploads: measure.counted_allocations(
                program, url, file, *[file] * uploads, **way.environment), 1, 11)
