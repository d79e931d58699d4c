"""One run of one side, watched from outside."""

import contextlib
import dataclasses
import json
import os
import shutil
import subprocess
import threading
import time

from broker import BenchError

RUN_LIMIT_S = 280


class EmbeddedTopics:
    """Input topics on the embedded log: filled once, copied for each run."""

    def __init__(self, tool, directory):
        self.tool = tool
        self.directory = directory

    def load(self, topic, data_set, records, base_ms):
        self._call("load", self.directory, topic, data_set, records, base_ms)

    def copy_to(self, directory):
        shutil.copytree(self.directory, directory, dirs_exist_ok=True)

    def digest(self, directory, topic):
        return self._call("digest", directory, topic)

    def _call(self, *arguments):
        done = subprocess.run([str(self.tool), *map(str, arguments)], capture_output=True,
                              text=True, check=False, timeout=400)
        if done.returncode != 0:
            raise BenchError(f"embedded_topics {arguments[0]}: {done.stderr.strip()}")
        return json.loads(done.stdout)


@dataclasses.dataclass(frozen=True)
class Side:
    name: str
    command: list[str]
    # Where its topics are, if not on the broker.
    embedded: EmbeddedTopics | None = None


@dataclasses.dataclass(frozen=True)
class Settings:
    """What both sides are asked for."""
    workload: object
    guarantee: str
    profile: str
    commit_ms: str
    cache: str
    records_done: int


def machine_cpu():
    """CPU seconds of all processes since the machine was started."""
    with open("/proc/stat", encoding="ascii") as stat:
        ticks = [int(field) for field in stat.readline().split()[1:]]
    user, nice, system, _, _, irq, softirq, steal = ticks[:8]
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


class Runner:
    """Runs sides on a broker, each with a fresh application id, output topic and state."""

    def __init__(self, broker, topics, directory):
        self.broker = broker
        self.topics = topics
        self.directory = directory
        self.count = 0

    def run(self, side, settings, application=None):
        """Returns what the side said and what was seen of it, with its output's digest."""
        self.count += 1
        application = application or f"pb-app-{self.count}"
        output = f"pb-out-{self.count}"
        state = self.directory / "state" / f"{self.count}"
        state.mkdir(parents=True)
        if side.embedded:
            return self._run_embedded(side, settings, output, state)
        self.topics.create(f"{output}:4")
        try:
            inputs = ",".join(data.topic for data in settings.workload.inputs
                              if not data.topic.endswith("-changelog"))
            row = self._execute(side, self.environment(settings, application, inputs, output)
                                | {"PB_STATE_DIR": str(state), "PB_T0_NS": str(time.time_ns())})
            if settings.workload.equal not in (None, "restored"):
                row["output"] = self.topics.digest(output)
            return row
        finally:
            shutil.rmtree(state, ignore_errors=True)
            # A preloaded changelog has its application's name too, and stays.
            self.topics.delete(output, *([] if application != f"pb-app-{self.count}"
                                         else [f"{application}-"]))

    def _run_embedded(self, side, settings, output, state):
        try:
            side.embedded.copy_to(state)
            inputs = ",".join(data.topic for data in settings.workload.inputs)
            row = self._execute(side, self.environment(settings, f"pb-app-{self.count}", inputs,
                                                       output)
                                | {"PB_LOG": "embedded", "PB_STATE_DIR": str(state),
                                   "PB_T0_NS": str(time.time_ns())})
            if settings.workload.equal:
                row["output"] = side.embedded.digest(state, output)
            return row
        finally:
            shutil.rmtree(state, ignore_errors=True)

    @contextlib.contextmanager
    def live_topics(self):
        """An input and an output that are empty, and gone afterwards with the application's own."""
        self.count += 1
        source, output = f"pb-live-{self.count}", f"pb-live-out-{self.count}"
        self.topics.create(f"{source}:4", f"{output}:4")
        try:
            yield source, output
        finally:
            self.topics.delete(source, output)

    def environment(self, settings, application, inputs, output):
        workload = settings.workload
        return os.environ | {
            "PB_WORKLOAD": workload.topology or workload.name,
            "PB_BOOTSTRAP": self.broker.bootstrap,
            "PB_APP_ID": application,
            "PB_GUARANTEE": settings.guarantee,
            "PB_PROFILE": settings.profile,
            "PB_COMMIT_MS": settings.commit_ms,
            "PB_CACHE": settings.cache,
            "PB_THREADS": "",
            "PB_IN": inputs,
            "PB_OUT": output,
            "PB_N": str(workload.records()),
            "PB_N_DONE": str(settings.records_done),
            "PB_MODE": "drain",
            "PB_READY_FILE": "",
        }

    def _execute(self, side, environment):
        errors = self.directory / f"{side.name}-{self.count}.err"
        load, machine, broker = os.getloadavg()[0], machine_cpu(), self.broker.cpu()
        began = time.monotonic()
        with errors.open("w") as stderr:
            process = subprocess.Popen(side.command, env=environment, stdout=subprocess.PIPE,
                                       stderr=stderr, text=True)
        killer = threading.Timer(RUN_LIMIT_S, process.kill)
        killer.start()
        try:
            said = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        except BaseException:
            process.kill()
            raise
        finally:
            killer.cancel()
        took = time.monotonic() - began
        results = [line for line in said.splitlines() if line.startswith('{"pb"')]
        row = json.loads(results[-1]) if results else {"ok": False}
        if not row["ok"] or process.returncode != 0:
            raise BenchError(f"{side.name} failed (exit code {process.returncode}): "
                             f"{errors.read_text()[-3000:]}")
        row["load"] = load
        return row | self._seen(row, took, usage, machine, broker)

    def watched(self, work):
        """The row that `work` returns, with what the machine did in the meantime."""
        load, machine, broker = os.getloadavg()[0], machine_cpu(), self.broker.cpu()
        began = time.monotonic()
        row = work()
        took = time.monotonic() - began
        broker_cpu = self.broker.cpu() - broker
        others = machine_cpu() - machine - row["cpu_s"] - broker_cpu
        return row | {"load": load, "broker_cpu_s": broker_cpu, "other_cores": others / took}

    def _seen(self, row, took, usage, machine, broker):
        """From outside: a side's own word is not taken for what it used."""
        cpu = usage.ru_utime + usage.ru_stime
        broker_cpu = self.broker.cpu() - broker
        records = row.get("restored", row["n"])
        return {
            "cpu_s": cpu,
            "cpu_us_per_record": cpu / records * 1e6 if records else None,
            "peak_mb": max(row["rss_peak_kb"], usage.ru_maxrss) / 1024,
            "exec_to_exit_s": took,
            "broker_cpu_s": broker_cpu,
            "other_cores": max(0.0, (machine_cpu() - machine - cpu - broker_cpu) / took),
        }
