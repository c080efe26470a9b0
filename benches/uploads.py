"""Ways to upload, and what a MiB more of each adds to what valgrind and strace count."""

import contextlib

import measure
from measure import MIB

# What a stream takes by default.
PART_MIB = 8


class Way:
    """How this library is told by its environment to upload, and the way in which its peers do the same."""

    def __init__(self, what, peers=None, **settings):
        self.what, self.peers, self.environment = what, peers or self, settings

    @contextlib.contextmanager
    def files(self, mib):
        """What a program is to be passed: a small file, by which it gets connection and buffers, and then
        what has so many MiB."""
        each = PART_MIB if self is FILE_BY_FILE else mib
        with measure.files(MIB, each * MIB) as (small, file):
            yield [small] + [file] * (mib // each)


WHOLE = Way("uploaded")
# The peers know of no parts: they are given a file for each.
FILE_BY_FILE = Way("uploaded file by file")
STREAMED = Way("streamed", FILE_BY_FILE, PART_MIB=PART_MIB, STREAM=1)
BY_ONE_THREAD = Way("uploaded part by part", FILE_BY_FILE, PART_MIB=PART_MIB, PARALLEL_PARTS=1)
AT_ONCE = Way("uploaded by 4 parts at once", FILE_BY_FILE, PART_MIB=PART_MIB, PARALLEL_PARTS=4)
STREAMED_AT_ONCE = Way("streamed by 4 parts at once", FILE_BY_FILE, PART_MIB=PART_MIB, PARALLEL_PARTS=4, STREAM=1)


def added_by_a_mib(count, way):
    """What one MiB more adds to `count(files)`."""
    # Valgrind takes its time for copies; but threads have all to be there before what is counted begins.
    few, many = (16, 48) if way is STREAMED else (64, 192)
    with way.files(few) as shorter, way.files(many) as longer:
        return (count(longer) - count(shorter)) / (many - few)


def instructions_per_mib(program, url, way):
    """User instructions by which a MiB is uploaded."""
    return added_by_a_mib(
        lambda files: measure.counted_instructions(program, url, *files, **way.environment), way)


def system_calls_per_mib(program, url, way, **environment):
    """System calls by which a MiB is uploaded."""
    environment |= way.environment
    return added_by_a_mib(
        lambda files: sum(measure.counted_system_calls(program, url, *files, **environment).values()), way)


def allocations(program, url, way):
    """How many times a warm upload of one part takes something from the heap, its result included."""
    with measure.files(MIB) as (file,):
        return measure.added_by_a_call(
            lambda uploads: measure.counted_allocations(
                program, url, file, *[file] * uploads, **way.environment), 1, 11)
