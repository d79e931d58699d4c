"""Sides that serve while a steady load is offered to them: how long a record takes, and how long
nothing comes out when a process is lost."""

import contextlib
import os
import shutil
import signal
import subprocess
import time

from processes import BenchError, Guard, kill, spawn
from runs import result_in
from workloads import SCENARIOS

READY_LIMIT_S = 90
CLOSE_LIMIT_S = 60


class Live:
    """One process of a side, from its start until it is told to stop, or killed."""

    def __init__(self, side, environment, directory, broker, state=None):
        """`state` is a directory that is there already, and stays."""
        directory.mkdir(parents=True)
        self.name = side.name
        self.directory = directory
        self.broker = broker
        self.errors = directory / "errors"
        self.ready_file = directory / "ready"
        if state is None:
            state = directory / "state"
            state.mkdir()
        environment = environment | {
            "PB_MODE": "serve", "PB_N": "0", "PB_N_DONE": "0",
            "PB_READY_FILE": str(self.ready_file), "PB_STATE_DIR": str(state),
            "PB_T0_NS": str(time.time_ns()),
        }
        with self.errors.open("w") as stderr:
            self.process = spawn(side.command, env=environment, stderr=stderr,
                                 stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        kill(self.process)
        shutil.rmtree(self.directory, ignore_errors=True)

    def wait_ready(self):
        limit = time.monotonic() + READY_LIMIT_S
        while not (self.ready_file.exists() and self.ready_file.read_text()):
            if self.process.poll() is not None or time.monotonic() > limit:
                raise self._failed("did not come up")
            self.broker.wait(0.1)

    def stop(self):
        """Returns what the process said, and what it used."""
        self.process.send_signal(signal.SIGTERM)
        with Guard(self.process, CLOSE_LIMIT_S, self.broker.is_gone):
            said = self.process.stdout.read()
            _, status, usage = os.wait4(self.process.pid, 0)
            self.process.returncode = os.waitstatus_to_exitcode(status)
        # A Java program that was asked to end says so with its exit code.
        ended_well = self.process.returncode in (0, 128 + signal.SIGTERM)
        row = result_in(said) if ended_well else {"ok": False}
        if not row["ok"]:
            raise self._failed(f"ended with {self.process.returncode}")
        # What it says of its pace is the pace of the load.
        paced = ("rps", "steady_records_per_s", "steady_cpu_us_per_record")
        return {name: value for name, value in row.items() if name not in paced} | {
            "rps": 0,
            "cpu_s": usage.ru_utime + usage.ru_stime,
            "peak_mb": max(row["rss_peak_kb"], usage.ru_maxrss) / 1024,
        }

    def _failed(self, what):
        return BenchError(f"{self.name} {what}: {self.errors.read_text()[-3000:]}")


def latency(runner, side, settings, phases):
    """One process, orders at the pace of the last phase."""
    with runner.live_topics() as (source, output):
        environment = runner.environment(settings, f"{source}-app", source, output)
        with Live(side, environment, runner.directory / f"live-{source}",
                  runner.broker) as process:
            process.wait_ready()
            offered = runner.topics.offer(source, output, phases)
            row = process.stop()
        digest = runner.topics.digest(output)
    # An order that came out twice is still one key.
    return row | offered | {"output": digest, "arrived": digest["keys"],
                            "cpu_us_per_record": row["cpu_s"] / offered["sent"] * 1e6}


def failover(runner, side, settings, phases, scenario, settle_s):
    """Processes of one application, of which one is lost after a third of the load. Partitions have
    moved to the second `settle_s` after both said that they are running."""
    with runner.live_topics() as (source, output):
        environment = (runner.environment(settings, f"{source}-app", source, output)
                       | SCENARIOS[scenario])
        third = sum(seconds for _, seconds, *_ in phases) / 3
        with Application(runner, side, environment, source) as application:
            if scenario == "restart":
                row, offered = restart(runner, application, output, phases, third)
            else:
                row, offered = loss(runner, application, output, phases, third, scenario, settle_s)
        digest = runner.topics.digest(output)
    seen = {name: offered[name] for name in ("sent", "received", "longest_gap_s", "gap_began_s")}
    # Each key's last count tells how many of its records arrived, whatever came out twice.
    return row | seen | {"output": digest, "arrived": digest["last_sum"],
                         "cpu_us_per_record": None}


class Application(contextlib.ExitStack):
    """Starts processes of one application; all of them end with it."""

    def __init__(self, runner, side, environment, source):
        super().__init__()
        self.runner = runner
        self.side = side
        self.environment = environment
        self.source = source
        self.count = 0

    def start(self, instance=None, state=None):
        self.count += 1
        named = {"PB_INSTANCE": f"instance-{instance}"} if instance else {}
        directory = self.runner.directory / f"live-{self.source}-{self.count}"
        return self.enter_context(Live(self.side, self.environment | named, directory,
                                       self.runner.broker, state))


def loss(runner, application, output, phases, third, scenario, settle_s):
    """One of two processes is lost; a static one comes back."""
    static = scenario == "static"
    stays = application.start(1 if static else None)
    lost = application.start(2 if static else None)
    stays.wait_ready()
    lost.wait_ready()
    runner.broker.wait(settle_s)
    with runner.topics.offering(application.source, output, phases, "--amounts") as load:
        runner.broker.wait(third)
        lost.process.send_signal(signal.SIGTERM if scenario == "stop" else signal.SIGKILL)
        again = None
        if static:
            lost.process.wait()
            again = application.start(2)
        offered = runner.topics.offered(load)
    if again:
        again.stop()
    return stays.stop(), offered


def restart(runner, application, output, phases, third):
    """The only process is stopped and started again with the state that it left."""
    state = runner.directory / f"live-{application.source}-state"
    state.mkdir()
    application.callback(shutil.rmtree, state, ignore_errors=True)
    first = application.start(state=state)
    first.wait_ready()
    with runner.topics.offering(application.source, output, phases, "--amounts") as load:
        runner.broker.wait(third)
        asked = time.monotonic()
        first.stop()
        started = time.monotonic()
        again = application.start(state=state)
        again.wait_ready()
        offered = runner.topics.offered(load)
    row = again.stop()
    return row | {"stop_to_running_s": started - asked + row["t_running_ms"] / 1e3}, offered
