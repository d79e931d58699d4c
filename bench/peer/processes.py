"""Processes that this program starts: none outlives it, and none is waited for in vain."""

import contextlib
import ctypes
import os
import pathlib
import resource
import signal
import subprocess
import threading
import time

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


class BenchError(Exception):
    """Something that the person at the terminal can act on."""


def spawn(command, **options):
    """A process that the kernel kills when this program is gone, even if it was killed itself."""
    parent = os.getpid()

    def end_with_parent():
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)

    return subprocess.Popen([str(part) for part in command], preexec_fn=end_with_parent, **options)


def kill(process):
    """Gone when this returns: what it had open can be removed."""
    if process.returncode is None:
        process.kill()
        process.wait()


class Guard:
    """For as long as `with` lasts, kills a process when its time is up, or when what it needs is
    gone."""

    def __init__(self, process, limit_s, is_gone, look_every_s=0.5):
        # A number of a process may be somebody else's once it is waited for; this may not.
        self._process = os.pidfd_open(process.pid)
        self._limit = time.monotonic() + limit_s
        self._is_gone = is_gone
        self._look_every_s = look_every_s
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()
        os.close(self._process)

    def _watch(self):
        while not self._done.wait(self._look_every_s):
            if self._is_gone() or time.monotonic() > self._limit:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(self._process, signal.SIGKILL)
                return


def told(command, limit_s, is_gone=lambda: False):
    """What a tool printed. Ends early when what it needs is gone."""
    return Telling(command).result(limit_s, is_gone)


class Telling:
    """A tool under way, whose output is its result. Stopped at the end of `with`, if not done."""

    def __init__(self, command):
        self.name = pathlib.Path(command[0]).name
        self.process = spawn(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        kill(self.process)

    def result(self, limit_s, is_gone):
        with self, Guard(self.process, limit_s, is_gone):
            said, errors = self.process.communicate()
        if self.process.returncode != 0:
            ended = f"ended with {self.process.returncode}"
            raise BenchError(f"{self.name}: {errors.strip() or ended}")
        return said


def cpu_of(pid):
    """CPU seconds that a process has used; 0 when it is gone."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def own_cpu():
    """CPU seconds of this program and of all that it has started and waited for: sides, tools."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def machine_cpu():
    """CPU seconds of all processes since the machine was started."""
    with open("/proc/stat", encoding="ascii") as stat:
        ticks = [int(field) for field in stat.readline().split()[1:]]
    user, nice, system, _, _, irq, softirq, steal = ticks[:8]
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


class Watch:
    """What the machine does from now on."""

    def __init__(self, broker):
        self._broker = broker
        self.load = os.getloadavg()[0]
        self._began = time.monotonic()
        self._before = self._now()

    def _now(self):
        return machine_cpu(), self._broker.cpu(), own_cpu()

    def seen(self):
        """`other_cores` are those of programs that have nothing to do with the run. Processes
        count once they were waited for."""
        took = time.monotonic() - self._began
        machine, broker, own = (now - before
                                for now, before in zip(self._now(), self._before))
        return {"load": self.load, "broker_cpu_s": broker,
                "other_cores": max(0.0, (machine - broker - own) / took)}
