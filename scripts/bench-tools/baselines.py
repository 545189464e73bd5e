"""What Millwright is measured beside: VictoriaMetrics, DuckDB and plain SQLite.

Each is used as its documentation advises. One that is not installed is left out, and says how to get it.
"""
import glob
import json
import os
import shutil
import socket
import sqlite3
import struct
import subprocess
import sys
import time
import urllib.parse
import urllib.request

VM_HINT = "VictoriaMetrics is not installed: apt install victoria-metrics"
DUCKDB_HINT = "DuckDB is not installed: pip install --target .build/bench-python duckdb"
START_SECONDS = 1_700_000_000


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def disk_bytes(path):
    return sum(
        os.path.getsize(os.path.join(folder, name))
        for folder, _, names in os.walk(path) for name in names)


def walks(tools, form, series, samples, kind="walk"):
    step = 60_000 if kind == "slow" else 1_000
    return subprocess.Popen(
        [os.path.join(tools, "walks"), form, str(series), str(samples), str(step), kind],
        stdout=subprocess.PIPE)


class VictoriaMetrics:
    """A single node with a data directory of its own."""

    def __init__(self, directory):
        binary = shutil.which("victoria-metrics")
        if not binary:
            raise FileNotFoundError(VM_HINT)
        self.data = os.path.join(directory, "victoria")
        self.url = f"http://127.0.0.1:{free_port()}"
        self.process = subprocess.Popen(
            [binary, "-storageDataPath", self.data, "-retentionPeriod=100y",
             "-httpListenAddr", self.url[7:], "-search.maxSamplesPerQuery=2000000000",
             "-search.maxQueryDuration=10m", "-search.disableCache"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(1_000):
            try:
                self.get("/health")
                return
            except OSError:
                time.sleep(0.02)
        raise TimeoutError("VictoriaMetrics did not start")

    def get(self, path, **parameters):
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        with urllib.request.urlopen(self.url + path + query, timeout=900) as answer:
            return answer.read()

    def load(self, tools, series, samples, kind="walk"):
        """Imports walks, and waits until all of them are on the disk and merged."""
        source = walks(tools, "vm", series, samples, kind)
        subprocess.check_call(
            ["curl", "--silent", "--fail", "-X", "POST", "-T", "-", self.url + "/api/v1/import"],
            stdin=source.stdout)
        if source.wait() != 0:
            raise RuntimeError("not all walks were written")
        self.get("/internal/force_flush")
        self.get("/internal/force_merge")
        seconds = samples * (60 if kind == "slow" else 1) + 1
        found = json.loads(self.get(
            "/api/v1/query", query=f"sum(count_over_time(value[{seconds + 60}s]))",
            time=START_SECONDS + seconds))["data"]["result"]
        count = int(found[0]["value"][1]) if found else 0
        if count != series * samples:
            print(f"  VictoriaMetrics holds {count} of {series * samples} samples", flush=True)

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def bytes_after_stop(self):
        """A graceful stop flushes what is in memory; merges that still run are waited for first."""
        for _ in range(600):
            rows = self.get("/metrics").decode().splitlines()
            active = [r for r in rows if r.startswith("vm_active_merges")]
            if all(float(r.split()[1]) == 0 for r in active):
                break
            time.sleep(0.5)
        self.stop()
        return disk_bytes(self.data)


def duckdb_with_walks(tools, directory, series, samples):
    """A DuckDB file with the walks in one table, sorted as they came."""
    root = os.path.dirname(os.path.dirname(tools))
    sys.path.insert(0, os.path.join(root, ".build", "bench-python"))
    try:
        import duckdb
    except ImportError as error:
        raise FileNotFoundError(DUCKDB_HINT) from error
    text = os.path.join(directory, "walks.csv")
    with open(text, "wb") as f:
        source = walks(tools, "csv", series, samples)
        shutil.copyfileobj(source.stdout, f)
        source.wait()
    connection = duckdb.connect(os.path.join(directory, "walks.duckdb"))
    connection.execute(
        "CREATE TABLE sample AS SELECT series, make_timestamp(ms * 1000) AS time, value FROM "
        f"read_csv('{text}', header=false, columns={{'series':'INTEGER','ms':'BIGINT','value':'DOUBLE'}})")
    connection.execute("CHECKPOINT")
    os.remove(text)
    return connection


def sqlite_rows_size(tools, directory, series, samples, kind="walk"):
    """Bytes a sample of a table with one row a sample, found by its key."""
    path = os.path.join(directory, "rows.sqlite")
    database = sqlite3.connect(path)
    database.execute(
        "CREATE TABLE sample (series INTEGER, time INTEGER, value REAL, PRIMARY KEY (series, time)) WITHOUT ROWID")
    source = walks(tools, "csv", series, samples, kind)
    rows = (line.split(b",") for line in source.stdout)
    database.executemany(
        "INSERT OR REPLACE INTO sample VALUES (?, ?, ?)",
        ((int(s), int(t), float(v)) for s, t, v in rows))
    database.commit()
    database.close()
    source.wait()
    size = os.path.getsize(path)
    os.remove(path)
    return size / (series * samples)


def sqlite_writes(form, directory, commits, samples, series):
    """Bytes written a sample when each commit is one durable SQLite transaction.

    `rows`: one row a sample, with no index, which is the least it can write; `blobs`: one row a batch, with 20 bytes a sample in its blob. Run in a process of
    its own, whose /proc/self/io counts only this.
    """
    for old in glob.glob(os.path.join(directory, "writes.sqlite*")):
        os.remove(old)
    database = sqlite3.connect(os.path.join(directory, "writes.sqlite"), isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    if form == "rows":
        database.execute(
            "CREATE TABLE sample (series INTEGER, time INTEGER, value REAL)")
    else:
        database.execute("CREATE TABLE batch (id INTEGER PRIMARY KEY, content BLOB)")
    before = written_bytes()
    next_series = 0
    values = [5_000] * series
    for commit in range(commits):
        rows = []
        for _ in range(samples):
            values[next_series] += (commit * 7919 + next_series) % 11 - 5
            rows.append((next_series, START_SECONDS * 1000 + commit * 100, values[next_series] / 100))
            next_series = (next_series + 1) % series
        database.execute("BEGIN")
        if form == "rows":
            database.executemany("INSERT INTO sample VALUES (?, ?, ?)", rows)
        else:
            content = b"".join(struct.pack("<Iqd", *row) for row in rows)
            database.execute("INSERT INTO batch (content) VALUES (?)", (content,))
        database.execute("COMMIT")
    database.close()
    return (written_bytes() - before) / (commits * samples)


def written_bytes():
    with open("/proc/self/io") as f:
        return int(dict(line.split(": ") for line in f)["write_bytes"])


if __name__ == "__main__":
    form, directory, commits, samples, series = sys.argv[1:]
    print(sqlite_writes(form, directory, int(commits), int(samples), int(series)))
