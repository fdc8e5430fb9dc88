"""A short race with Litestream on one database: first copy, lag from commit to replica, restore.

    bench.py --program PATH [--litestream PATH] [--mb N] [--rounds N]

Both programs get the same database, the same configuration and a folder as the replica, in turn. Prints the medians
and their ratio; exits 1 if a restored database differs from its source. Linux only (it reads /proc).
"""

import argparse
import hashlib
import os
import random
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "AWS_CA_BUNDLE"}


def make_database(path, megabytes):
    """A table of rows that compress about two to one, with an index, in WAL mode."""
    rng = random.Random(1)
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("pragma journal_mode=wal")
    database.execute("create table item(id integer primary key, owner integer, body blob)")
    database.execute("create index item_owner on item(owner)")
    while database.execute("pragma page_count").fetchone()[0] * 4096 < megabytes << 20:
        database.execute("begin")
        for _ in range(1000):
            noise = rng.randbytes(rng.randrange(100, 1500))
            database.execute("insert into item(owner, body) values(?, ?)", (rng.randrange(1000), noise + bytes(len(noise))))
        database.execute("commit")
    database.execute("pragma wal_checkpoint(truncate)")
    database.close()


def digest(path):
    """A hash of the table's rows, or what is wrong with the file."""
    database = sqlite3.connect(path)
    check = database.execute("pragma integrity_check").fetchone()[0]
    if check != "ok":
        return check
    rows = hashlib.sha256()
    for row in database.execute("select * from item order by id"):
        rows.update(repr(row).encode())
    database.close()
    return rows.hexdigest()


def cpu_seconds(process):
    fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


def replica_files(replica):
    return {path: path.stat().st_size for path in Path(replica).rglob("*.ltx")}


def until(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"bench: {what} did not happen within {seconds} s")
        time.sleep(0.002)


def race(program, source, folder):
    """One round of one program: its figures by name."""
    database, replica, restored = folder / "app.db", folder / "replica", folder / "restored.db"
    shutil.copy(source, database)
    configuration = folder / "litestream.yml"
    configuration.write_text(f"dbs:\n  - path: {database}\n    replica:\n      type: file\n      path: {replica}\n")
    figures = {}
    with open(folder / "log", "wb") as log:
        start = time.monotonic()
        process = subprocess.Popen(
            [program, "replicate", "-config", configuration], stdout=log, stderr=log, env=ENVIRONMENT
        )
        try:
            until(lambda: replica_files(replica), 300, f"the first copy by {program}")
            figures["first copy s"] = time.monotonic() - start
            figures["first copy CPU s"] = cpu_seconds(process)
            lags = []
            writer = sqlite3.connect(database, isolation_level=None)
            for owner in range(8):
                time.sleep(1.5)
                before = max(replica_files(replica), key=lambda path: path.name)
                writer.execute("insert into item(owner, body) values(?, zeroblob(100))", (owner,))
                committed = time.monotonic()
                until(lambda: max(replica_files(replica), key=lambda path: path.name) != before, 30, "shipping")
                lags.append(time.monotonic() - committed)
            figures["lag ms"] = statistics.median(lags) * 1000
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
    start = time.monotonic()
    restore = subprocess.Popen(
        [program, "restore", "-config", configuration, "-o", restored, database],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT,
    )
    _, status, usage = os.wait4(restore.pid, 0)
    restore.returncode = os.waitstatus_to_exitcode(status)
    figures["restore s"] = time.monotonic() - start
    figures["restore CPU s"] = usage.ru_utime + usage.ru_stime
    figures["restore peak MB"] = usage.ru_maxrss / 1024
    if restore.returncode != 0 or digest(restored) != digest(database):
        sys.exit(f"bench: WRONG: {program} restored another database (exit code {restore.returncode})")
    writer.close()
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, required=True)
    parser.add_argument("--litestream", type=Path, default=Path(".venv/bin/litestream"))
    parser.add_argument("--mb", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    programs = {"litestream": options.litestream.absolute(), "ours": options.program.absolute()}
    results = {name: [] for name in programs}
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        source = Path(home, "source.db")
        make_database(source, options.mb)
        for number in range(options.rounds):
            for name, program in programs.items():
                folder = Path(home, f"{name}-{number}")
                folder.mkdir()
                results[name].append(race(program, source, folder))
                shutil.rmtree(folder)
    print(f"{options.mb} MB, {os.cpu_count()} cores, medians of {options.rounds}")
    print(f"{'':20}{'litestream':>12}{'ours':>12}{'ratio':>8}")
    for figure in results["ours"][0]:
        theirs, ours = (statistics.median(row[figure] for row in results[name]) for name in ("litestream", "ours"))
        print(f"{figure:20}{theirs:12.2f}{ours:12.2f}{ours / theirs if theirs else 0:8.2f}")


if __name__ == "__main__":
    main()
