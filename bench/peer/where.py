"""Where the processor time of a run goes, as `perf` samples it on all cores: in Thalweg's own code,
in the libraries that it stands on, in the broker."""

import collections
import contextlib
import pathlib
import re
import shutil
import signal
import subprocess

from processes import BenchError, kill, spawn

SAMPLES_PER_S = "1999"
# For it to write its samples at the end.
PATIENCE_S = 60
SAMPLE = re.compile(r"(?P<thread>.*?)\s+(?P<process>\d+)/(\d+)\s+(?P<ns>\d+)\s+[0-9a-f]+"
                    r".*\((?P<code>[^()]*(?:\(deleted\))?)\)$")
# In the order in which they are shown.
PLACES = {
    "own": "Thalweg's own code and RocksDB",
    "client": "librdkafka",
    "memory": "malloc, memcpy and clocks of both",
    "kernel": "the kernel, for Thalweg: sockets, files, waiting",
    "broker": "the broker",
    "broker_jit": "the compilers of the broker's Java machine",
    "idle": "nothing: both wait",
    "other": "anything else",
}


def require_perf():
    if shutil.which("perf") is None:
        raise BenchError("--where samples with perf, which is missing: apt-get install linux-perf")


@contextlib.contextmanager
def sampled(into):
    """Samples all cores for as long as `with` lasts."""
    sampler = spawn(["perf", "record", "--quiet", "--all-cpus", "-F", SAMPLES_PER_S, "-o", into],
                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        yield
        sampler.send_signal(signal.SIGINT)
        _, errors = sampler.communicate(timeout=PATIENCE_S)
        if not pathlib.Path(into).exists():
            raise BenchError(f"perf: {errors.strip()}")
    finally:
        kill(sampler)


def place_of(sample, side, broker):
    thread, process, code = sample["thread"].strip(), int(sample["process"]), sample["code"]
    library = pathlib.Path(code).name
    if process == 0:
        return "idle"
    if process == broker:
        return "broker_jit" if "Compiler" in thread else "broker"
    if process != side:
        return "other"
    if library.startswith("librdkafka"):
        return "client"
    if code.startswith("[kernel"):
        return "kernel"
    if library.startswith(("libc.", "libtcmalloc", "ld-linux", "[vdso]")):
        return "memory"
    return "own"


def by_place(samples, side, broker):
    """Nanoseconds of each place, of samples as perf writes them; `side` and `broker` are
    processes."""
    found = collections.Counter()
    for line in samples.splitlines():
        if sample := SAMPLE.match(line):
            found[place_of(sample, side, broker)] += int(sample["ns"])
    return found


def where_it_went(data, side, broker, records):
    """Nanoseconds of processor time a record, by place."""
    samples = subprocess.run(["perf", "script", "-i", data, "-F", "comm,pid,tid,period,ip,dso"],
                             capture_output=True, text=True, check=True).stdout
    found = by_place(samples, side, broker)
    return {place: found[place] / records for place in PLACES}


def lines_of(where):
    """For people, the lines of what where_it_went() found."""
    everything = sum(where.values())
    yield f"where all cores' time went{'':6}ns a record{'':8}part"
    for place, ns in where.items():
        yield f"{PLACES[place]:52}{ns:10,.0f}{ns / everything:8.1%}"
