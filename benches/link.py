"""A link that relay.c plays, and what plain sockets measure over it."""

import concurrent.futures
import contextlib
import os
import socket
import time

import measure


@contextlib.contextmanager
def link(programs, url, round_trip_ms, mbit_per_second, window_kib):
    """The URL by which a local one is reached over the link."""
    with measure.started(programs / "relay", port_of(url), round_trip_ms, mbit_per_second, window_kib) as there:
        yield there


def port_of(url):
    return int(url.rpartition(":")[2])


def plain_sockets(programs, *settings, mib=4):
    """What plain sockets measure over such a link, which has to pass on what it is given: the ms of a
    round trip, and the Mbit/s of one connection there, of one back, and of four at once there."""
    content = os.urandom(mib * measure.MIB)
    with socket.create_server(("127.0.0.1", 0)) as listener, contextlib.ExitStack() as open_ones:
        url = open_ones.enter_context(link(programs, f":{listener.getsockname()[1]}", *settings))

        def pair():
            near = open_ones.enter_context(socket.create_connection(("127.0.0.1", port_of(url)), timeout=60))
            far = open_ones.enter_context(listener.accept()[0])
            far.settimeout(60)
            return near, far

        near, far = pair()
        return (round_trip(near, far), rate([(near, far)], content), rate([(far, near)], content),
                rate([pair() for _ in range(4)], content))


def round_trip(near, far):
    def there_and_back():
        begun = time.monotonic()
        near.sendall(b"?")
        far.sendall(far.recv(1))
        near.recv(1)
        return 1000 * (time.monotonic() - begun)

    there_and_back()  # in which the connection begins
    return there_and_back()


def rate(pairs, content):
    """The Mbit/s by which the content comes, from its first bytes on, with its end."""
    def send(sender):
        sender.sendall(content)
        sender.shutdown(socket.SHUT_WR)

    def receive(receiver):
        come = bytearray(receiver.recv(1 << 16))
        begun, length = time.monotonic(), len(come)
        while more := receiver.recv(1 << 16):
            come += more
        if come != content:
            raise measure.Unmeasured("the link passes on something else than it is given")
        return begun, time.monotonic(), len(come) - length

    with concurrent.futures.ThreadPoolExecutor(2 * len(pairs)) as threads:
        sending = [threads.submit(send, sender) for sender, _ in pairs]
        received = [threads.submit(receive, receiver) for _, receiver in pairs]
        begun, ended, lengths = zip(*(one.result() for one in received))
        for one in sending:
            one.result()
    return 8e-6 * sum(lengths) / (max(ended) - min(begun))
