"""The stand-in service, for the length of a test, and clients of it."""

import os
import subprocess
import sys
import unittest
from contextlib import contextmanager

from apivideo import AuthenticatedApiClient

KEY = "key-of-the-tests"


@contextmanager
def local_api(*options):
    """The URL of a stand-in that was started with these options."""
    command = [os.environ["LOCAL_API"], "--api-key", KEY, *options]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as service:
        try:
            url = service.stdout.readline().rstrip("\n")
            assert url, "the stand-in did not start"
            yield url
        finally:
            service.kill()


def client_of(url, key=KEY):
    client = AuthenticatedApiClient(key)
    client.configuration.host = url
    return client


def run_tests(name):
    """Runs those of the program, and tells how many passed."""
    result = unittest.main(exit=False).result
    failed = len(result.failures) + len(result.errors)
    print(f"{name}: {result.testsRun - failed} passed, {failed} failed")
    sys.exit(failed > 0 or result.testsRun == 0)
