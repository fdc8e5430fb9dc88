#!/usr/bin/env python3
"""What a thousand health checks a second do to a node: errors and times of the checks, and the lag of what it ships.

    health-load.py --program PROGRAM [--rate 1000] [--seconds 30] [--rounds 3]

A node on a folder store ships each commit of a small writer; the lag is the time from a commit to its file in the store.
Rounds without and with the load (`hey`, at a fixed rate) take turns. Ends with 1 where a bound is not kept: no error,
p99 of the checks at most 20 ms, p95 of the lag at most 1.2 times that without load.
"""

import argparse
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

# All workers of hey begin at once and keep time: the more of them, the longer the bursts in which their checks come.
WORKERS = 10


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"health-load: waited {seconds} s in vain: {what}")
        time.sleep(0.05)


def is_up(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


class Level0:
    """The files of a replica that come one by one. A look costs the same however many there are."""

    def __init__(self, replica):
        until(lambda: self.find(replica), "the replica has a file")
        self.folder = self.find(replica)
        self.count()

    @staticmethod
    def find(replica):
        for root, _, names in os.walk(replica):
            if os.path.basename(root) in ("0", "0000") and any(name.endswith(".ltx") for name in names):
                return root

    def count(self):
        self.number = max(int(name[:16], 16) for name in os.listdir(self.folder) if name.endswith(".ltx"))

    def has_next(self):
        number = f"{self.number + 1:016x}"
        return os.path.exists(f"{self.folder}/{number}-{number}.ltx")


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def lags(connection, level0, seconds):
    """Commits now and then, and waits for each one's file."""
    times, end = [], time.monotonic() + seconds
    level0.count()
    while time.monotonic() < end:
        while level0.has_next():
            level0.number += 1
        connection.execute("insert into item(at) values(?)", (time.time(),))
        start = time.monotonic()
        while not level0.has_next() and time.monotonic() - start < 10:
            time.sleep(0.0005)
        times.append(time.monotonic() - start)
        time.sleep(0.15)
    return times


class Load(threading.Thread):
    """The checks, at a fixed rate."""

    def __init__(self, url, rate, seconds):
        super().__init__()
        # hey makes as many requests as it is told in so many seconds, each worker at its own rate.
        self.command = ["hey", "-z", f"{seconds}s", "-c", f"{WORKERS}", "-q", f"{rate / WORKERS}", "-t", "5", url]
        self.output = ""

    def run(self):
        self.output = subprocess.run(self.command, capture_output=True, text=True).stdout

    def figures(self):
        rate = re.search(r"Requests/sec:\s*([\d.]+)", self.output)
        p99 = re.search(r"99%+ in ([\d.]+) secs", self.output)
        answers = {int(code): int(count) for code, count in re.findall(r"\[(\d+)\]\s+(\d+) responses", self.output)}
        if not rate or not p99:
            sys.exit(f"health-load: hey said:\n{self.output}")
        failed = sum(count for code, count in answers.items() if code != 200)
        failed += sum(int(count) for count in re.findall(r"^\s+\[(\d+)\]\s+(?:Get|context|dial|read)", self.output, re.M))
        return float(rate[1]), float(p99[1]) * 1000, answers.get(200, 0), failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        database, replica, port = f"{folder}/app.db", f"{folder}/replica", free_port()
        connection = sqlite3.connect(database, isolation_level=None, timeout=10)
        for statement in ("journal_mode = wal", "synchronous = normal", "wal_autocheckpoint = 0"):
            connection.execute(f"pragma {statement}")
        connection.execute("create table item(id integer primary key, at real)")
        with open(f"{folder}/node.yml", "w") as file:
            file.write(
                f"cluster:\n  name: a\n  listen: 127.0.0.1:{port}\n  post-failover:\n    writer: false\n"
                f"dbs:\n  - path: {database}\n    replica:\n      path: {replica}\n      sync-interval: 100ms\n"
            )
        node = subprocess.Popen(
            [arguments.program, "service", "-config", f"{folder}/node.yml"],
            stdout=subprocess.DEVNULL,
            stderr=open(f"{folder}/log", "w"),
        )
        try:
            url = f"http://127.0.0.1:{port}"
            until(lambda: is_up(f"{url}/primary"), "the node is the primary")
            level0 = Level0(replica)
            lags(connection, level0, 3)
            quiet, loaded, wrong, slowest = [], [], 0, 0.0
            for number in range(arguments.rounds):
                quiet += lags(connection, level0, arguments.seconds)
                load = Load(f"{url}/health", arguments.rate, arguments.seconds)
                load.start()
                loaded += lags(connection, level0, arguments.seconds - 1)
                load.join()
                rate, p99, good, failed = load.figures()
                wrong, slowest = wrong + failed, max(slowest, p99)
                print(f"round {number + 1}: {rate:.0f} checks/s, {good} OK, {failed} failed, p99 {p99:.1f} ms", flush=True)
        finally:
            connection.close()
            node.send_signal(signal.SIGTERM)
            code = node.wait(60)
        before, after = percentile(quiet, 0.95) * 1000, percentile(loaded, 0.95) * 1000
        print(f"lag, ms             p50     p95     n")
        for name, values in (("without load", quiet), ("with load", loaded)):
            print(f"{name:<16}{percentile(values, 0.5) * 1000:7.1f} {percentile(values, 0.95) * 1000:7.1f} {len(values):5}")
        print(f"lag p95 with / without load: {after / before:.2f}; slowest p99 of the checks {slowest:.1f} ms; failed {wrong}")
        if code != 0:
            sys.exit(f"health-load: the node ended with {code}")
        if wrong or slowest > 20 or after > 1.2 * before:
            sys.exit("health-load: ABOVE the bounds")
        print("within the bounds")


main()
