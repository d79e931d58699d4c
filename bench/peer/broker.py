"""A broker of one's own on the loopback interface, and the tool that fills its topics."""

import base64
import json
import pathlib
import shutil
import socket
import subprocess
import time
import uuid

from processes import BenchError, Telling, cpu_of, kill, spawn, told
from workloads import PARTITIONS

PATIENCE_S = 60
TOOL_LIMIT_S = 400


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def cluster_id():
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text


class Broker:
    """Runs from `with` to its end; nothing of it stays behind. If it ends by itself, that is the
    error of all that went wrong without it."""

    def __init__(self, jars, directory, heap="768m"):
        self.jars = jars
        self.directory = pathlib.Path(directory)
        self.heap = heap
        self.process = None
        self.bootstrap = None

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, _, error, trace):
        words = self._last_words() if self.is_gone() and isinstance(error, Exception) else None
        self._stop()
        if words is not None:
            raise BenchError(words) from error

    def is_gone(self):
        return self.process is None or self.process.poll() is not None

    def cpu(self):
        return cpu_of(self.process.pid)

    def wait(self, seconds):
        """Lets the time pass, with the broker."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return
        raise BenchError(self._last_words())

    def _java(self, heap, main, *arguments):
        return ["java", f"-Xms{heap}", f"-Xmx{heap}", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info",
                "-cp", f"{self.jars}/*", main, *map(str, arguments)]

    def _start(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        port, controller = free_port(), free_port()
        self.bootstrap = f"127.0.0.1:{port}"
        properties = self.directory / "server.properties"
        properties.write_text(self._properties(port, controller))
        formatted = subprocess.run(
            self._java("128m", "kafka.tools.StorageTool", "format", "-t", cluster_id(),
                       "-c", properties),
            capture_output=True, text=True, check=False)
        if formatted.returncode != 0:
            raise BenchError(f"the broker's directory could not be made: {formatted.stderr}")
        with self._log().open("w") as output:
            # A session of its own: Ctrl-C is for this program, which then ends the broker in order.
            self.process = spawn(
                self._java(self.heap, "kafka.Kafka", properties), stdout=output,
                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True)
        self._wait_until_reachable(port)

    def _log(self):
        return self.directory / "broker.log"

    def _last_words(self):
        free = shutil.disk_usage(self.directory).free / 1e9
        return (f"the broker ended with {self.process.returncode}; the disk has {free:.1f} GB "
                f"left; its last words:\n{self._log().read_text(errors='replace')[-2000:]}")

    def _wait_until_reachable(self, port):
        limit = time.monotonic() + PATIENCE_S
        while time.monotonic() < limit:
            if self.is_gone():
                raise BenchError(self._last_words())
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        raise BenchError(f"the broker was not up within {PATIENCE_S} s")

    def _stop(self):
        if self.process is not None:
            # Its data goes away with it: there is nothing to flush.
            kill(self.process)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _properties(self, port, controller):
        return "\n".join((
            "process.roles=broker,controller",
            "node.id=1",
            f"controller.quorum.voters=1@127.0.0.1:{controller}",
            f"listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
            f"advertised.listeners=PLAINTEXT://127.0.0.1:{port}",
            "controller.listener.names=CONTROLLER",
            "inter.broker.listener.name=PLAINTEXT",
            f"log.dirs={self.directory}/data",
            f"num.partitions={PARTITIONS}",
            "default.replication.factor=1",
            "offsets.topic.replication.factor=1",
            "offsets.topic.num.partitions=8",
            "transaction.state.log.replication.factor=1",
            "transaction.state.log.min.isr=1",
            "transaction.state.log.num.partitions=8",
            "share.coordinator.state.topic.replication.factor=1",
            "share.coordinator.state.topic.min.isr=1",
            "group.initial.rebalance.delay.ms=0",
            "auto.create.topics.enable=false",
            "num.network.threads=2",
            "num.io.threads=4",
            "log.segment.delete.delay.ms=1000",
        )) + "\n"


class Topics:
    """The topics of a broker, by way of topic_tool."""

    def __init__(self, tool, broker):
        self.tool = tool
        self.broker = broker

    def create(self, *names, settings=None):
        more = f":{settings}" if settings else ""
        self._call("create", *(f"{name}:{PARTITIONS}{more}" for name in names))

    def delete(self, *prefixes):
        self._call("delete", *prefixes)

    def load(self, topic, data_set, records, base_ms):
        return self._call("load", topic, data_set, records, base_ms)[-1]

    def offer(self, source, output, phases, *flags):
        with self.offering(source, output, phases, *flags) as load:
            return self.offered(load)

    def offering(self, source, output, phases, *flags):
        """Offers a load in the background; the phases are (rate, seconds[, 0: not counted])."""
        return Telling(self._command("offer", source, output,
                                     *(":".join(map(str, phase)) for phase in phases), *flags))

    def offered(self, load):
        return json.loads(load.result(TOOL_LIMIT_S, self.broker.is_gone))

    def digest(self, topic, *flags):
        return self._call("digest", topic, *flags)[-1]

    def _command(self, *arguments):
        return [self.tool, "--bootstrap", self.broker.bootstrap, *map(str, arguments)]

    def _call(self, *arguments):
        said = told(self._command(*arguments), TOOL_LIMIT_S, self.broker.is_gone)
        return [json.loads(line) for line in said.splitlines()]
