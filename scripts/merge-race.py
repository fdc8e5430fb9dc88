#!/usr/bin/env python3
"""What merging costs beside real Litestream: processor time and memory, for the same files.

    merge-race.py --litestream PROGRAM --ours PROGRAM [--files 1000] [--mb 512] [--rounds 3]

Two pieces of work, each measured as the difference of two runs that differ in nothing else:

    levels     FILES level-0 files become one of level 1: levels at an interval of a second, and of a day
    snapshot   a database of MB MiB becomes one file: `replicate -once` with and without -force-snapshot

The files are made by Litestream, once; each run works on a copy of its own.
"""

import argparse
import os
import shutil
import signal
import sqlite3
import statistics
import subprocess
import tempfile
import time

ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "AWS_CA_BUNDLE"}


def configuration(folder, level, sync="1s"):
    path = f"{folder}/litestream.yml"
    with open(path, "w") as file:
        file.write(
            f"levels:\n  - interval: {level}\nl0-retention: 1h\nsnapshot:\n  interval: 24h\n"
            f"dbs:\n  - path: {folder}/app.db\n    monitor-interval: {'10ms' if sync != '1s' else '1s'}\n"
            f"    replica:\n      path: {folder}/replica\n      sync-interval: {sync}\n"
        )
    return path


def names(folder, level):
    try:
        return [name for name in os.listdir(f"{folder}/replica/ltx/{level}") if name.endswith(".ltx")]
    except FileNotFoundError:
        return []


def finish(process):
    """Ends a process; its processor time in seconds and its peak memory in MiB."""
    process.send_signal(signal.SIGTERM)
    return reap(process)


def reap(process):
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, process.returncode


def until(condition, what, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"merge-race: {what} did not happen within {seconds} s")
        time.sleep(0.02)


def start(program, *arguments, log):
    return subprocess.Popen([program, *arguments], stdout=log, stderr=log, env=ENVIRONMENT)


def copy(source, target):
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    return target


def make_small_files(litestream, folder, count, log):
    os.makedirs(folder)
    db = sqlite3.connect(f"{folder}/app.db", isolation_level=None)
    db.execute("pragma journal_mode=wal")
    db.execute("create table t(id integer primary key, x)")
    db.execute("with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000) "
               "insert into t(x) select randomblob(200) from n")
    process = start(litestream, "replicate", "-config", configuration(folder, "24h", sync="10ms"), log=log)
    until(lambda: names(folder, 0), "the first upload")
    while len(names(folder, 0)) < count:
        before = len(names(folder, 0))
        db.execute("update t set x = randomblob(200) where id in (select abs(random()) % 20000 from t limit 20)")
        until(lambda: len(names(folder, 0)) > before, "an upload")
    db.close()
    finish(process)


def make_large_database(folder, megabytes):
    os.makedirs(folder)
    db = sqlite3.connect(f"{folder}/app.db", isolation_level=None)
    db.execute("pragma journal_mode=wal")
    db.execute("create table t(id integer primary key, x)")
    db.execute("begin")
    for _ in range(megabytes):
        # Half of it compresses.
        db.execute("with recursive n(i) as (select 1 union all select i + 1 from n where i < 512) "
                   "insert into t(x) select randomblob(1000) || zeroblob(1000) from n")
    db.execute("commit")
    db.execute("pragma wal_checkpoint(truncate)")
    db.close()


def levels_run(program, state, work, interval, log):
    copy(state, work)
    # The folder has moved: the configuration names it anew, the metadata folder lies beside the database.
    process = start(program, "replicate", "-config", configuration(work, interval), log=log)
    if interval == "1s":
        until(lambda: names(work, 1), "a file of level 1")
    time.sleep(6)
    cpu, peak, _ = finish(process)
    return cpu, peak


def once_run(program, state, work, forces, log):
    copy(state, work)
    arguments = ["replicate", "-once"] + (["-force-snapshot"] if forces else [])
    process = start(program, *arguments, "-config", configuration(work, "24h"), log=log)
    cpu, peak, code = reap(process)
    if code != 0:
        raise SystemExit(f"merge-race: {program} {' '.join(arguments)} ended with {code}")
    return cpu, peak


def measure(title, programs, rounds, run):
    """`run(program, does_it)` gives time and memory."""
    shares = {name: [] for name in programs}
    peaks = {name: [] for name in programs}
    for _ in range(rounds):
        for name, program in programs.items():
            without, _ = run(program, False)
            cpu, peak = run(program, True)
            shares[name].append(cpu - without)
            peaks[name].append(peak)
            print(f"{title:9} {name:11} with {cpu:6.2f} s, without {without:6.2f} s, peak {peak:5.0f} MiB", flush=True)
    medians = {name: statistics.median(values) for name, values in shares.items()}
    peak = {name: statistics.median(values) for name, values in peaks.items()}
    print(f"{title:9} share of the processor: litestream {medians['litestream']:.2f} s, ours {medians['ours']:.2f} s, "
          f"ratio {medians['ours'] / max(medians['litestream'], 1e-9):.2f}; peak memory {peak['litestream']:.0f} and "
          f"{peak['ours']:.0f} MiB", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--litestream", required=True)
    parser.add_argument("--ours", required=True)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--mb", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    programs = {"litestream": os.path.abspath(options.litestream), "ours": os.path.abspath(options.ours)}

    with tempfile.TemporaryDirectory(prefix="merge-race-") as folder, open(f"{folder}/log", "w") as log:
        work = f"{folder}/work"
        # A metadata folder belongs to a path: what is made at `work` is kept aside and copied back.
        make_small_files(programs["litestream"], work, options.files, log)
        small = copy(work, f"{folder}/small")
        measure("levels", programs, options.rounds, lambda program, merges: levels_run(
            program, small, work, "1s" if merges else "24h", log))
        shutil.rmtree(work)
        make_large_database(work, options.mb)
        reap(start(programs["litestream"], "replicate", "-once", "-config", configuration(work, "24h"), log=log))
        large = copy(work, f"{folder}/large")
        measure("snapshot", programs, options.rounds, lambda program, forces: once_run(
            program, large, work, forces, log))


if __name__ == "__main__":
    main()
