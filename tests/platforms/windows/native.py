#!/usr/bin/env python3
"""Runs a program that may start others outside of Wine: native.py PROGRAM [ARGUMENT…]

The environment variable NATIVE_PORT tells it a port on loopback. Each connection begins with a shell command and
a NUL, and is then what that command reads and writes. A command is ended when its connection is, and with the
program whatever is still there."""

import os
import select
import socket
import subprocess
import sys
import threading


def command_of(connection):
    command = bytearray()
    while not command.endswith(b"\0"):
        byte = connection.recv(1)
        if not byte:
            return None
        command += byte
    return bytes(command[:-1])


def serve(connection):
    with connection:
        command = command_of(connection)
        if command is None:
            return
        process = subprocess.Popen(["sh", "-c", command], stdin=connection, stdout=connection)
        ended = os.pidfd_open(process.pid)
        wait = select.poll()
        wait.register(ended, select.POLLIN)
        wait.register(connection, select.POLLRDHUP)
        wait.poll()
        process.terminate()
        process.wait()
        os.close(ended)


def accept_all(listener):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


def main():
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    threading.Thread(target=accept_all, args=(listener,), daemon=True).start()
    environment = os.environ | {"NATIVE_PORT": str(listener.getsockname()[1])}
    # What is still there is in the process group that launch.py ends.
    sys.exit(subprocess.run(sys.argv[1:], env=environment, check=False).returncode)


main()
