#!/usr/bin/env python3
"""Speaks TLS before services that do not, and does to its clients what those do to it: what is ended is ended with a
close_notify, what is reset is reset, and what is not read is not read.

    tls_front.py CERTIFICATE_AND_KEY

Each line `open PORT` on standard input is answered with a port that leads to that one, each `close PORT` of these
with 0. It ends with its input."""

import select
import socket
import ssl
import struct
import sys
import threading

# Little is on its way here, so that who does not read is noticed before.
BUFFER = 64 * 1024

CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
CONTEXT.load_cert_chain(sys.argv[1])


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Session:
    """A client's connection, and the one to the service."""

    def __init__(self, client, port):
        self.client = client
        self.service = socket.socket()
        self.service.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        self.service.connect(("127.0.0.1", port))
        self.received, self.encrypted = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = CONTEXT.wrap_bio(self.received, self.encrypted, server_side=True)
        self.is_open = False
        self.to_client, self.to_service = bytearray(), bytearray()

    def run(self):
        try:
            with self.client, self.service:
                self.client.setblocking(False)
                self.service.setblocking(False)
                while self.step():
                    pass
        except OSError:
            pass

    def step(self):
        """Waits for what can be done, and does it; whether there is more to do."""
        has_room = len(self.to_service) < BUFFER
        readers = [self.client] * has_room + [self.service] * (len(self.to_client) < BUFFER)
        writers = [self.client] * bool(self.to_client) + [self.service] * bool(self.to_service)
        readers, writers, _ = select.select(readers, writers, [])
        for connection, waiting in (self.client, self.to_client), (self.service, self.to_service):
            if connection in writers:
                del waiting[:connection.send(waiting)]
        if self.service in readers and not self.from_service():
            return False
        if self.client in readers:
            return self.from_client()
        return True

    def from_client(self):
        data = self.client.recv(BUFFER)
        if not data:
            return False
        self.received.write(data)
        try:
            if not self.is_open:
                self.tls.do_handshake()
                self.is_open = True
            while data := self.tls.read(BUFFER):
                self.to_service += data
        except ssl.SSLWantReadError:
            self.to_client += self.encrypted.read()
            return True
        except ssl.SSLError:
            pass
        # A goodbye, or nothing that TLS begins with.
        return False

    def from_service(self):
        try:
            data = self.service.recv(BUFFER)
        except ConnectionResetError:
            reset(self.client)
            return False
        if data:
            self.tls.write(data)
            self.to_client += self.encrypted.read()
            return True
        self.end()
        return False

    def end(self):
        """Says goodbye, and throws away what still comes."""
        try:
            self.tls.unwrap()
        except ssl.SSLError:
            pass
        self.client.setblocking(True)
        self.client.sendall(self.to_client + self.encrypted.read())
        self.client.shutdown(socket.SHUT_WR)
        while self.client.recv(BUFFER):
            pass


def accept_all(listener, port):
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        try:
            session = Session(client, port)
        except OSError:
            client.close()
            continue
        threading.Thread(target=session.run, daemon=True).start()


def main():
    listeners = {}
    for line in sys.stdin:
        what, port = line.split()
        answer = 0
        if what == "open":
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            answer = listener.getsockname()[1]
            listeners[answer] = listener
            threading.Thread(target=accept_all, args=(listener, int(port)), daemon=True).start()
        else:
            listener = listeners.pop(int(port))
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        print(answer, flush=True)


main()
