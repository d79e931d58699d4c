"""One run of one side, watched from outside."""

import contextlib
import dataclasses
import json
import os
import shutil
import subprocess
import time

from processes import BenchError, Guard, Watch, kill, spawn, told
from where import sampled, where_it_went
from workloads import CHANGELOG, PARTITIONS, RESTORE_APPLICATION

RUN_LIMIT_S = 280
TOOL_LIMIT_S = 400


class EmbeddedTopics:
    """Input topics on the embedded log: filled once, copied for each run."""

    def __init__(self, tool, directory):
        self.tool = tool
        self.directory = directory

    def load(self, topic, data_set, records, base_ms):
        self._call("load", self.directory, topic, data_set, records, base_ms,
                   "--partitions", PARTITIONS)

    def copy_to(self, directory):
        shutil.copytree(self.directory, directory, dirs_exist_ok=True)

    def digest(self, directory, topic):
        return self._call("digest", directory, topic)

    def _call(self, *arguments):
        return json.loads(told([self.tool, *arguments], TOOL_LIMIT_S))


@dataclasses.dataclass(frozen=True)
class Side:
    name: str
    command: list[str]
    # Where its topics are, if not on the broker.
    embedded: EmbeddedTopics | None = None
    # Whether its row tells where the processor time went.
    sampled: bool = False


@dataclasses.dataclass(frozen=True)
class Settings:
    """What both sides are asked for."""
    workload: object
    guarantee: str
    profile: str
    commit_ms: str
    cache: str
    threads: str
    records_done: int
    # Of the tool that reads what was put out.
    digest_flags: tuple[str, ...] = ()


class Runner:
    """Runs sides on a broker, each with a fresh application id, output topic and state."""

    def __init__(self, broker, topics, directory):
        self.broker = broker
        self.topics = topics
        self.directory = directory
        self.count = 0

    def run(self, side, settings):
        """Returns what the side said and what was seen of it, with its output's digest."""
        self.count += 1
        restores = settings.workload.equal == "restored"
        application = RESTORE_APPLICATION if restores else f"pb-app-{self.count}"
        output = f"pb-out-{self.count}"
        state = self.directory / "state" / f"{self.count}"
        state.mkdir(parents=True)
        try:
            environment = self.environment(settings, application, ",".join(
                data.topic for data in settings.workload.inputs
                if data.topic != CHANGELOG.topic), output) | {"PB_STATE_DIR": str(state)}
            if side.embedded:
                return self._run_embedded(side, settings, environment, state, output)
            self.topics.create(output)
            row = self._execute(side, environment)
            if settings.workload.equal not in (None, "restored"):
                row["output"] = self.topics.digest(output, *settings.digest_flags)
        finally:
            shutil.rmtree(state, ignore_errors=True)
        # Not after a failure: all topics go away with the broker then. A preloaded changelog has
        # its application's name too, and stays.
        self.topics.delete(output, *([] if restores else [f"{application}-"]))
        return row

    def _run_embedded(self, side, settings, environment, state, output):
        side.embedded.copy_to(state)
        row = self._execute(side, environment | {"PB_LOG": "embedded"})
        if settings.workload.equal not in (None, "restored"):
            row["output"] = side.embedded.digest(state, output)
        return row

    @contextlib.contextmanager
    def live_topics(self):
        """An input and an output that are empty, and gone afterwards."""
        self.count += 1
        source, output = f"pb-live-{self.count}", f"pb-live-out-{self.count}"
        self.topics.create(source, output)
        yield source, output
        # Not after a failure: all topics go away with the broker then. The application's own topics
        # begin with the input's name.
        self.topics.delete(source, output)

    def environment(self, settings, application, inputs, output):
        workload = settings.workload
        # What somebody has set for runs of their own is not meant for these.
        inherited = {name: value for name, value in os.environ.items()
                     if not name.startswith("PB_")}
        return inherited | {
            "PB_WORKLOAD": workload.topology or workload.name,
            "PB_BOOTSTRAP": self.broker.bootstrap,
            "PB_APP_ID": application,
            "PB_GUARANTEE": settings.guarantee,
            "PB_PROFILE": settings.profile,
            "PB_COMMIT_MS": settings.commit_ms,
            "PB_CACHE": settings.cache,
            "PB_THREADS": settings.threads,
            "PB_IN": inputs,
            "PB_OUT": output,
            "PB_N": str(workload.records()),
            "PB_N_DONE": str(settings.records_done),
            "PB_MODE": "drain",
            "PB_READY_FILE": "",
        }

    def _execute(self, side, environment):
        errors = self.directory / f"{side.name}-{self.count}.err"
        watch = Watch(self.broker)
        samples = self.directory / "perf.data"
        began = time.monotonic()
        with sampled(samples) if side.sampled else contextlib.nullcontext():
            with errors.open("w") as stderr:
                process = spawn(side.command, env=environment | {"PB_T0_NS": str(time.time_ns())},
                                stdout=subprocess.PIPE, stderr=stderr, text=True)
            try:
                with Guard(process, RUN_LIMIT_S, self.broker.is_gone):
                    said = process.stdout.read()
                    _, status, usage = os.wait4(process.pid, 0)
                    process.returncode = os.waitstatus_to_exitcode(status)
            finally:
                kill(process)
        took = time.monotonic() - began
        row = result_in(said)
        if not row["ok"] or process.returncode != 0:
            raise BenchError(f"{side.name} failed (exit code {process.returncode}): "
                             f"{errors.read_text()[-3000:]}")
        # From outside: a side's own word is not taken for what it used.
        cpu = usage.ru_utime + usage.ru_stime
        records = row.get("restored", row["n"])
        if side.sampled:
            row["where_ns"] = where_it_went(samples, process.pid, self.broker.process.pid, records)
        return row | watch.seen() | {
            "cpu_s": cpu,
            "cpu_us_per_record": cpu / records * 1e6 if records else None,
            "peak_mb": max(row["rss_peak_kb"], usage.ru_maxrss) / 1024,
            "exec_to_exit_s": took,
        }

    def watched(self, work):
        """The row that `work` returns, with what the machine did in the meantime."""
        watch = Watch(self.broker)
        row = work()
        return row | watch.seen()


def result_in(said):
    """The result of a side, the last of its lines."""
    results = [line for line in said.splitlines() if line.startswith('{"pb"')]
    return json.loads(results[-1]) if results else {"ok": False}
