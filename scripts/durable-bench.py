#!/usr/bin/env python3
"""What durable commits and the write gate cost: a node beside a moto server of its own.

    durable-bench.py NODE-HOST

Prints how many commits a second 64 waiters get replicated, what one alone takes beside one PUT and two fdatasyncs, and
what the gate adds to an ordinary commit. Ends with 1 where a bound is not kept: 1,000 commits a second; 3 times; 2 % or
2 µs.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "testtest", "AWS_REGION": "us-east-1"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: durable-bench.py NODE-HOST")
    program, port = sys.argv[1], free_port()
    server = subprocess.Popen(
        [f"{os.path.dirname(sys.executable)}/moto_server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        for _ in range(300):
            try:
                urllib.request.urlopen(urllib.request.Request(f"{url}/bench", method="PUT"), timeout=5).close()
                break
            except OSError:
                time.sleep(0.1)
        else:
            sys.exit("durable-bench: moto does not answer")
        with tempfile.TemporaryDirectory() as folder:
            place = f"s3://bench/app?endpoint={url}&forcePathStyle=true&region=us-east-1"
            runs = [
                ["bench-replicated", f"{folder}/app.db", f"store={place}", "create=1"],
                ["bench-gate", folder],
            ]
            codes = [subprocess.run([program, *run], env={**os.environ, **KEYS}).returncode for run in runs]
    finally:
        server.terminate()
        server.wait()
    sys.exit(max(codes, key=abs))


main()
