"""A broker of one's own on the loopback interface, and the tool that fills its topics."""

import base64
import json
import os
import pathlib
import shutil
import socket
import subprocess
import time
import uuid

PATIENCE_S = 60


class BenchError(Exception):
    """Something that the person at the terminal can act on."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def cpu_of(pid):
    """CPU seconds that a process has used; 0 when it is gone."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cluster_id():
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text


class Broker:
    """Runs from `with` to its end; nothing of it stays behind."""

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

    def __exit__(self, *_):
        self._stop()

    def cpu(self):
        return cpu_of(self.process.pid)

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
        log = self.directory / "broker.log"
        with log.open("w") as output:
            # A session of its own: Ctrl-C is for this program, which then ends the broker in order.
            self.process = subprocess.Popen(
                self._java(self.heap, "kafka.Kafka", properties), stdout=output,
                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True)
        self._wait_until_reachable(port, log)

    def _wait_until_reachable(self, port, log):
        limit = time.monotonic() + PATIENCE_S
        while time.monotonic() < limit:
            if self.process.poll() is not None:
                raise BenchError(f"the broker ended at once:\n{log.read_text()[-2000:]}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        raise BenchError(f"the broker was not up within {PATIENCE_S} s")

    def _stop(self):
        if self.process is not None and self.process.poll() is None:
            # Its data goes away with it: there is nothing to flush.
            self.process.kill()
            self.process.wait()
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
            "num.partitions=4",
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

    def __init__(self, tool, bootstrap):
        self.tool = tool
        self.bootstrap = bootstrap

    def create(self, *specs):
        self._call("create", *specs)

    def delete(self, *prefixes):
        self._call("delete", *prefixes)

    def load(self, topic, data_set, records, base_ms):
        return self._call("load", topic, data_set, records, base_ms)[-1]

    def offer(self, source, output, phases, *flags):
        with self.offering(source, output, phases, *flags) as load:
            return load.result()

    def offering(self, source, output, phases, *flags):
        """Offers a load in the background; the phases are (rate, seconds[, 0: not counted])."""
        return Offer([str(self.tool), "--bootstrap", self.bootstrap, "offer", source, output,
                      *(":".join(map(str, phase)) for phase in phases), *flags])

    def digest(self, topic):
        return self._call("digest", topic)[-1]

    def _call(self, *arguments):
        command = [str(self.tool), "--bootstrap", self.bootstrap, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=400)
        if done.returncode != 0:
            raise BenchError(f"topic_tool {arguments[0]}: {done.stderr.strip()}")
        return [json.loads(line) for line in done.stdout.splitlines()]


class Offer:
    """A load under way. Stopped at the end of `with`, if it is not done."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def result(self):
        said, errors = self.process.communicate()
        if self.process.returncode != 0:
            raise BenchError(f"topic_tool offer: {errors.strip()}")
        return json.loads(said)
