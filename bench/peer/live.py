"""Sides that serve while a steady load is offered to them: how long a record takes, and how long
nothing comes out when a process is lost."""

import json
import os
import shutil
import signal
import subprocess
import threading
import time

from broker import BenchError

READY_LIMIT_S = 90
CLOSE_LIMIT_S = 60
# Partitions move to the second process in this time, once both say that they are running.
SETTLE_S = 6


class Live:
    """One process of a side, from its start until it is told to stop, or killed."""

    def __init__(self, side, environment, directory):
        directory.mkdir(parents=True)
        self.name = side.name
        self.directory = directory
        self.errors = directory / "errors"
        self.ready_file = directory / "ready"
        environment = environment | {
            "PB_MODE": "serve", "PB_N": "0", "PB_N_DONE": "0",
            "PB_READY_FILE": str(self.ready_file), "PB_STATE_DIR": str(directory / "state"),
            "PB_T0_NS": str(time.time_ns()),
        }
        (directory / "state").mkdir()
        with self.errors.open("w") as stderr:
            self.process = subprocess.Popen(side.command, env=environment, stderr=stderr,
                                            stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.returncode is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def wait_ready(self):
        limit = time.monotonic() + READY_LIMIT_S
        while not (self.ready_file.exists() and self.ready_file.read_text()):
            if self.process.poll() is not None or time.monotonic() > limit:
                raise self._failed("did not come up")
            time.sleep(0.05)

    def lose(self, how):
        self.process.send_signal(how)

    def stop(self):
        """Returns what the process said, and what it used."""
        self.process.send_signal(signal.SIGTERM)
        killer = threading.Timer(CLOSE_LIMIT_S, self.process.kill)
        killer.start()
        try:
            said = self.process.stdout.read()
            _, status, usage = os.wait4(self.process.pid, 0)
            self.process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            killer.cancel()
        results = [line for line in said.splitlines() if line.startswith('{"pb"')]
        # A Java program that was asked to end says so with its exit code.
        ended_well = self.process.returncode in (0, 128 + signal.SIGTERM)
        row = json.loads(results[-1]) if ended_well and results else {"ok": False}
        if not row["ok"]:
            raise self._failed(f"ended with {self.process.returncode}")
        return row | {
            "rps": 0,
            "cpu_s": usage.ru_utime + usage.ru_stime,
            "peak_mb": max(row["rss_peak_kb"], usage.ru_maxrss) / 1024,
        }

    def _failed(self, what):
        return BenchError(f"{self.name} {what}: {self.errors.read_text()[-3000:]}")


def expect_all(side, offered):
    """A record may come out twice when a process is lost, but none may stay away."""
    if offered["received"] < offered["sent"]:
        raise BenchError(f"{side.name}: {offered['sent']} records in, {offered['received']} out")


def latency(runner, side, settings, phases):
    """One process, orders at the pace of the last phase."""
    with runner.live_topics() as (source, output):
        environment = runner.environment(settings, f"{source}-app", source, output)
        with Live(side, environment, runner.directory / f"live-{source}") as process:
            process.wait_ready()
            offered = runner.topics.offer(source, output, phases)
            row = process.stop()
    expect_all(side, offered)
    return row | offered | {"cpu_us_per_record": row["cpu_s"] / offered["sent"] * 1e6}


def failover(runner, side, settings, phases, scenario):
    """Two processes of one application, of which one is lost after a third of the load."""
    extra = {"default": {}, "stop": {}, "static": {},
             "session": {"PB_SESSION_MS": "6000"},
             "standby": {"PB_SESSION_MS": "6000", "PB_STANDBY": "1"}}[scenario]
    with runner.live_topics() as (source, output):
        environment = runner.environment(settings, f"{source}-app", source, output) | extra

        def start(number, instance):
            named = {"PB_INSTANCE": f"instance-{instance}"} if scenario == "static" else {}
            return Live(side, environment | named,
                        runner.directory / f"live-{source}-{number}")

        with start(1, 1) as stays, start(2, 2) as lost:
            stays.wait_ready()
            lost.wait_ready()
            time.sleep(SETTLE_S)
            with runner.topics.offering(source, output, phases, "--amounts") as load:
                time.sleep(sum(seconds for _, seconds, *_ in phases) / 3)
                lost.lose(signal.SIGTERM if scenario == "stop" else signal.SIGKILL)
                if scenario == "static":
                    lost.process.wait()
                    with start(3, 2) as again:
                        offered = load.result()
                        again.stop()
                else:
                    offered = load.result()
            row = stays.stop()
    expect_all(side, offered)
    seen = {name: offered[name] for name in ("sent", "received", "longest_gap_s", "gap_began_s")}
    return row | seen | {"cpu_us_per_record": None}
