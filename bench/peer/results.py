"""The file of results: a line for each run, with what was asked, of what, on what."""

import json
import os
import pathlib
import platform
import subprocess
import time

from figures import outputs_differ
from workloads import WORKLOADS


def revision(root):
    """What was measured, or nothing where git does not know."""
    told = subprocess.run(["git", "-C", root, "describe", "--always", "--dirty"],
                          capture_output=True, text=True, check=False)
    return told.stdout.strip() or None


def java_version():
    told = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False)
    quoted = told.stderr.split('"')
    return quoted[1] if len(quoted) > 1 else None


def kafka_version(jars):
    for jar in jars.glob("kafka-streams-[0-9]*.jar"):
        return jar.stem.removeprefix("kafka-streams-")
    return None


def machine():
    info = pathlib.Path("/proc/cpuinfo").read_text()
    models = [line.split(":", 1)[1].strip() for line in info.splitlines()
              if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"cpu": models[0] if models else platform.machine(),
            "cores": len(os.sched_getaffinity(0)), "memory_gb": round(memory / 2**30, 1),
            "kernel": platform.release()}


class Results:
    """Keeps each run as soon as it is done."""

    def __init__(self, path, workload, about):
        """`about`: what all runs of this call have in common."""
        self.path = path
        self.workload = workload
        self.about = {"invocation": f"{time.time_ns():x}-{os.getpid()}"} | about
        self.rows = []
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a"):
            pass

    def add(self, row):
        """Tells also whether its output is that of the runs before: null for the first, which has
        none."""
        self.rows.append(row)
        alone = self.workload.equal is None or (
            len(self.rows) == 1 and self.workload.equal not in ("restored", "arrived"))
        equal = None if alone else outputs_differ(self.workload, self.rows) is None
        line = {"time": int(time.time())} | self.about | {"outputs_equal": equal} | row
        with self.path.open("a") as results:
            results.write(json.dumps(line) + "\n")


def details_of(asked):
    """What makes a comparison another one than the plain one of its workload."""
    workload = WORKLOADS[asked["workload"]]
    found = []
    if asked["log"] == "embedded":
        found.append("embedded log")
    if asked["guarantee"] == "exactly_once_v2":
        found.append("exactly once")
    if asked["profile"] != workload.profile:
        found.append(asked["profile"])
    if asked.get("cache"):
        size = f"cache {int(asked['cache']):,} bytes"
        found.append("no cache" if asked["cache"] == "0" else size)
    if asked.get("commit_ms"):
        found.append(f"commit {asked['commit_ms']} ms")
    if asked.get("threads"):
        found.append(f"{asked['threads']} threads")
    if workload.rate and asked["rate"] != workload.rate:
        found.append(f"{asked['rate']:,} records/s")
    if asked.get("scenario") not in (None, "session"):
        found.append(asked["scenario"])
    return found


def title_of(asked):
    return ", ".join([asked["workload"], *details_of(asked)])


def newest(path, quick):
    """Title -> side -> rows of the last call that got as far as to run both sides, in the order of
    the workloads."""
    calls = {}
    with path.open() as lines:
        for row in map(json.loads, lines):
            if row["quick"] != quick or row["asked"]["workload"] not in WORKLOADS:
                continue
            side = "thalweg" if row["impl"] == "thalweg" else "peer"
            sides = calls.setdefault(title_of(row["asked"]), {}).setdefault(
                row.get("invocation"), {"peer": [], "thalweg": []})
            sides[side].append(row)
    names = list(WORKLOADS)
    found = {}
    for title in sorted(calls, key=lambda title: (names.index(title.split(",")[0]), title)):
        both = [sides for sides in calls[title].values() if sides["peer"] and sides["thalweg"]]
        if both:
            found[title] = both[-1]
    return found


def equal_outputs(sides):
    return not any(row.get("outputs_equal") is False for row in sides["peer"] + sides["thalweg"])


def conditions(rows):
    """What the rows were measured with and on; more than one where they differ."""
    def all_of(name):
        return ", ".join(sorted({str(row[name]) for row in rows if row.get(name)})) or "unknown"
    machines = sorted({f"{one['cores']} cores of {one['cpu']}, {one['memory_gb']:g} GB"
                       for one in (row.get("machine") for row in rows) if one})
    return {"kafka": all_of("kafka"), "java": all_of("java"), "revision": all_of("revision"),
            "machine": "; ".join(machines) or "unknown"}
