"""What bench/side-by-side and bench/plot make of runs, without a broker or a run."""

import contextlib
import importlib.machinery
import importlib.util
import io
import json
import os
import pathlib
import select
import signal
import subprocess
import sys
import tempfile
import types
import unittest
import xml.dom.minidom

BENCH = pathlib.Path(__file__).resolve().parent.parent.parent / "bench"
sys.dont_write_bytecode = True
sys.path.insert(0, str(BENCH / "peer"))

from broker import Broker  # noqa: E402
from figures import medians, outputs_differ, ratios, warnings  # noqa: E402
from processes import BenchError, Guard, spawn, told  # noqa: E402
from results import Results, newest, title_of  # noqa: E402
from runs import Runner, Settings  # noqa: E402
from where import by_place, lines_of  # noqa: E402
from workloads import WORKLOADS, quick, without_cache  # noqa: E402

PATIENCE_S = 60
END_IN_ORDER = """
import importlib.machinery, importlib.util, signal, sys, tempfile
loader = importlib.machinery.SourceFileLoader("side_by_side", sys.argv[1])
module = importlib.util.module_from_spec(importlib.util.spec_from_loader("side_by_side", loader))
loader.exec_module(module)
for number in (signal.SIGHUP, signal.SIGINT):  # Whatever who started the test ignores.
    signal.signal(number, signal.SIG_DFL)
module.end_in_order()
with tempfile.TemporaryDirectory() as directory:
    print(directory, flush=True)
    signal.pause()
"""
PARENT = """
import subprocess, signal, sys
sys.path.insert(0, sys.argv[1])
from processes import spawn
print(spawn(["cat"], stdin=subprocess.PIPE).pid, flush=True)
signal.pause()
"""


def loaded(name):
    loader = importlib.machinery.SourceFileLoader(name.replace("-", "_"), str(BENCH / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def run_of(impl, rate, **more):
    """As a side says and the runner sees it."""
    return {"impl": impl, "guarantee": "at_least_once", "rps": rate, "n": 1_000, "n_done": 1_000,
            "t_running_ms": 500.0, "close_ms": 50.0, "cpu_s": 2.0,
            "cpu_us_per_record": 1e6 / rate, "peak_mb": 100.0, "exec_to_exit_s": 4.0,
            "load": 0.1, "other_cores": 0.0, "output": digest("a")} | more


def digest(content, records=1_000):
    return {"records": records, "keys": 10, "last_sum": records, "all": content, "last": content}


def both(peer, thalweg):
    return {"kafka_streams": peer, "thalweg": thalweg}


def asked(workload="count", **more):
    return {"workload": workload, "guarantee": "at_least_once",
            "profile": WORKLOADS[workload].profile, "log": "kafka", "commit_ms": "", "cache": "",
            "threads": "", "rate": WORKLOADS[workload].rate, "scenario": None} | more


class Ratios(unittest.TestCase):
    def test_they_are_those_of_the_steady_part_where_both_sides_tell_it(self):
        peer = medians([run_of("kafka-streams", 100, steady_records_per_s=200,
                               steady_cpu_us_per_record=8)])
        ours = medians([run_of("thalweg", 500, steady_records_per_s=600,
                               steady_cpu_us_per_record=2)])
        found = ratios(peer, ours)
        self.assertEqual(3, found["records_per_s"])
        self.assertEqual(0.25, found["cpu_per_record"])
        self.assertEqual(5, found["records_per_s_with_start"])
        self.assertEqual(1, found["peak_memory"])

    def test_they_are_those_of_the_whole_run_where_one_side_has_no_steady_part(self):
        peer = medians([run_of("kafka-streams", 100, steady_records_per_s=0)])
        ours = medians([run_of("thalweg", 500, steady_records_per_s=600)])
        self.assertEqual(5, ratios(peer, ours)["records_per_s"])
        self.assertNotIn("records_per_s_with_start", ratios(peer, ours))

    def test_what_a_workload_has_not_has_no_ratio(self):
        idle = medians([run_of("thalweg", 1, rps=0, n=0, cpu_us_per_record=None)])
        found = ratios(idle, idle)
        self.assertIsNone(found["records_per_s"])
        self.assertIsNone(found["cpu_per_record"])
        self.assertEqual(1, found["peak_memory"])

    def test_disturbed_runs_count_only_where_there_are_no_others(self):
        disturbed = run_of("thalweg", 100, other_cores=1.0)
        self.assertEqual(500, medians([disturbed, run_of("thalweg", 500)])["records_per_s"])
        self.assertEqual(100, medians([disturbed])["records_per_s"])
        self.assertEqual(1, len(list(warnings([disturbed]))))

    def test_reads_that_find_less_than_the_other_sides_are_told(self):
        rows = [run_of("kafka-streams", 1, loaded_hit_rate=1.0),
                run_of("thalweg", 1, loaded_hit_rate=0.8)]
        self.assertIn("0.8", next(warnings(rows)))


class Outputs(unittest.TestCase):
    def test_with_a_cache_the_last_of_each_key_are_equal_and_without_one_all_are(self):
        rows = [run_of("kafka-streams", 1),
                run_of("thalweg", 1, output=digest("a") | {"all": "b"})]
        self.assertIsNone(outputs_differ(WORKLOADS["count"], rows))
        self.assertIsNotNone(outputs_differ(without_cache(WORKLOADS["count"]), rows))
        self.assertIsNone(outputs_differ(without_cache(WORKLOADS["repart"]), rows))

    def test_rows_that_a_store_has_count_as_restored_and_not_offsets(self):
        restore = WORKLOADS["restore"]
        row = run_of("thalweg", 1, restored=5_000_000)
        self.assertIsNone(outputs_differ(restore, [row]))
        self.assertIn("4900000", outputs_differ(restore, [row | {"restored_rows": 4_900_000}]))

    def test_shuffle_may_differ_a_little_and_less_so_in_quick_runs(self):
        shuffle = WORKLOADS["shuffle"]
        rows = [run_of("kafka-streams", 1, output=digest("a", 2_000)),
                run_of("thalweg", 1, output=digest("b", 2_030))]
        self.assertIsNone(outputs_differ(shuffle, rows))
        self.assertIsNotNone(outputs_differ(quick(shuffle), rows))
        rows[0]["n_done"] = 999
        self.assertIn("999", outputs_differ(shuffle, rows))

    def test_a_duplicate_does_not_stand_for_a_record_that_stayed_away(self):
        failover = WORKLOADS["failover"]
        lost = run_of("thalweg", 1, sent=1_000, arrived=999, output=digest("a", 1_001))
        twice = run_of("thalweg", 1, sent=1_000, arrived=1_000, output=digest("a", 1_053))
        self.assertIn("999", outputs_differ(failover, [lost]))
        self.assertIsNone(outputs_differ(failover, [twice]))
        exactly = {"guarantee": "exactly_once_v2"}
        self.assertIsNotNone(outputs_differ(failover, [twice | exactly]))


class TheLastLine(unittest.TestCase):
    def reported(self, rows):
        side_by_side = loaded("side-by-side")
        arguments = types.SimpleNamespace(**asked(), runs=1, quick=True)
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()):
            code = side_by_side.report(WORKLOADS["count"], arguments, rows)
        return code, json.loads(said.getvalue().splitlines()[-1])

    def test_it_is_an_object_with_both_sides_and_their_ratios(self):
        code, told_last = self.reported(both([run_of("kafka-streams", 100)],
                                             [run_of("thalweg", 600)]))
        self.assertEqual(0, code)
        self.assertEqual("count", told_last["workload"])
        self.assertEqual(100, told_last["peer"]["records_per_s"])
        self.assertEqual(600, told_last["thalweg"]["records_per_s"])
        self.assertEqual(6, told_last["ratios"]["records_per_s"])
        self.assertEqual(0.1667, told_last["ratios"]["cpu_per_record"])
        self.assertTrue(told_last["outputs_equal"])

    def test_outputs_that_differ_are_told_and_end_with_1(self):
        code, told_last = self.reported(both(
            [run_of("kafka-streams", 100)], [run_of("thalweg", 600, output=digest("b"))]))
        self.assertEqual(1, code)
        self.assertFalse(told_last["outputs_equal"])


class WhatIsRefused(unittest.TestCase):
    def refusal(self, *arguments):
        done = subprocess.run([sys.executable, "-B", str(BENCH / "side-by-side"), *arguments],
                              capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(2, done.returncode)
        self.assertEqual("", done.stdout)
        return done.stderr

    def test_a_quick_run_of_what_takes_minutes(self):
        for scenario in ("stop", "default"):
            self.assertIn("takes minutes", self.refusal("--workload", "failover", "--quick",
                                                        "--scenario", scenario))

    def test_a_load_that_is_offered_to_the_embedded_log(self):
        self.assertIn("--log embedded", self.refusal("--workload", "saga-latency", "--log",
                                                     "embedded"))

    def test_where_the_time_goes_of_a_load_that_leaves_some(self):
        self.assertIn("idle", self.refusal("--workload", "saga-latency", "--where"))

    def test_numbers_that_are_none(self):
        self.assertIn("5s", self.refusal("--workload", "count", "--commit-ms", "5s"))
        self.assertIn("--runs", self.refusal("--workload", "count", "--runs", "0"))

    def test_programs_that_are_not_built(self):
        with tempfile.TemporaryDirectory() as empty:
            self.assertIn("is missing; build it", self.refusal("--workload", "startup", "--build",
                                                               empty, "--dir", empty))

    def test_a_disk_that_is_full(self):
        side_by_side = loaded("side-by-side")
        side_by_side.shutil = types.SimpleNamespace(
            disk_usage=lambda _: types.SimpleNamespace(free=1_000_000))
        with tempfile.TemporaryDirectory() as directory:
            arguments = types.SimpleNamespace(dir=directory, log="kafka")
            with self.assertRaisesRegex(BenchError, "0.0 GB left"):
                side_by_side.check_disk(pathlib.Path(directory), WORKLOADS["count"], arguments)


class WhatIsKept(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = pathlib.Path(directory.name) / "results.jsonl"

    def kept(self, rows, workload="count", **more):
        """A call of bench/side-by-side."""
        about = {"quick": False, "asked": asked(workload, **more), "kafka": "4.1.1", "java": "17",
                 "revision": "abc", "machine": {"cpu": "a CPU", "cores": 2, "memory_gb": 8}}
        results = Results(self.path, WORKLOADS[workload], about)
        for row in rows:
            results.add(row)

    def lines(self):
        return [json.loads(line) for line in self.path.read_text().splitlines()]

    def test_each_run_is_there_once_it_is_done_and_says_whether_outputs_are_equal(self):
        results = Results(self.path, WORKLOADS["count"], {"quick": False, "asked": asked()})
        results.add(run_of("kafka-streams", 100))
        self.assertIsNone(self.lines()[0]["outputs_equal"])
        results.add(run_of("thalweg", 100))
        results.add(run_of("kafka-streams", 100, output=digest("b")))
        self.assertEqual([None, True, False], [line["outputs_equal"] for line in self.lines()])
        self.assertEqual(1, len({line["invocation"] for line in self.lines()}))

    def test_titles_tell_all_that_was_asked_for(self):
        self.assertEqual("count", title_of(asked()))
        self.assertEqual("count, embedded log, exactly once, default, no cache, commit 50 ms, "
                         "1 threads",
                         title_of(asked(log="embedded", guarantee="exactly_once_v2",
                                        profile="default", cache="0", commit_ms="50",
                                        threads="1")))
        self.assertEqual("count, cache 1,000 bytes", title_of(asked(cache="1000")))
        self.assertEqual("saga-latency, 500 records/s", title_of(asked("saga-latency", rate=500)))
        self.assertEqual("failover, standby", title_of(asked("failover", scenario="standby")))

    def test_the_newest_call_counts_that_ran_both_sides(self):
        self.kept([run_of("kafka-streams", 100), run_of("thalweg", 100)])
        self.kept([run_of("kafka-streams", 100), run_of("thalweg", 700)])
        self.kept([run_of("kafka-streams", 100)])
        sides = newest(self.path, quick=False)["count"]
        self.assertEqual([700], [row["rps"] for row in sides["thalweg"]])
        self.assertEqual({}, newest(self.path, quick=True))

    def test_latency_and_start_are_drawn_and_wrong_outputs_marked(self):
        plot = loaded("plot")
        self.kept([run_of("kafka-streams", 100), run_of("thalweg", 500, output=digest("b"))])
        offered = {"rps": 0, "sent": 10, "arrived": 10, "p50_ms": 20.0, "p99_ms": 80.0}
        self.kept([run_of("kafka-streams", 1, **offered),
                   run_of("thalweg", 1, **offered | {"p99_ms": 8.0})], "saga-latency")
        idle = {"rps": 0, "n": 0, "cpu_us_per_record": None, "rss_idle_kb": 102_400}
        self.kept([run_of("kafka-streams", 1, **idle), run_of("thalweg", 1, **idle)], "startup")
        found = plot.comparisons(self.path, quick=False)
        self.assertEqual(["count", "saga-latency", "startup"], list(found))
        picture = plot.draw(found)
        xml.dom.minidom.parseString(picture)
        self.assertIn("outputs differ", picture)
        self.assertIn("p99 8 ms, 80 ms", picture)
        self.assertIn("Kafka Streams 4.1.1", picture)
        self.assertIn("2 cores of a CPU", picture)

    def test_the_table_has_a_line_for_each_comparison(self):
        plot = loaded("plot")
        self.kept([run_of("kafka-streams", 123_456), run_of("thalweg", 987_654)])
        table = plot.markdown(plot.comparisons(self.path, quick=False))
        self.assertIn("| `count` | 123,000 | 988,000 | 8.0 | 8.1 / 1.0 | 100 / 100 |", table)


class Processes(unittest.TestCase):
    def gone(self, pid_or_fd):
        readable, _, _ = select.select([pid_or_fd], [], [], PATIENCE_S)
        return bool(readable)

    def test_none_outlives_a_program_that_was_killed(self):
        with subprocess.Popen([sys.executable, "-c", PARENT, str(BENCH / "peer")],
                              stdout=subprocess.PIPE, text=True) as parent:
            child = os.pidfd_open(int(parent.stdout.readline()))
            parent.kill()
        self.assertTrue(self.gone(child))
        os.close(child)

    def test_a_side_ends_with_the_broker_that_it_waits_for(self):
        side = spawn(["cat"], stdin=subprocess.PIPE)
        with Guard(side, PATIENCE_S, lambda: True, look_every_s=0):
            self.assertEqual(-signal.SIGKILL, side.wait(PATIENCE_S))
        side.stdin.close()

    def test_a_tool_that_fails_is_quoted(self):
        with self.assertRaisesRegex(BenchError, "no such topic"):
            told(["sh", "-c", "echo no such topic >&2; exit 3"], PATIENCE_S)

    def test_the_last_words_of_a_broker_explain_what_fails_without_it(self):
        with tempfile.TemporaryDirectory() as directory:
            broker = Broker(None, directory)
            broker.process = spawn(["false"])
            broker.process.wait()
            (pathlib.Path(directory) / "broker.log").write_text("No space left on device")
            error = BenchError("the side failed")
            with self.assertRaisesRegex(BenchError, "No space left on device"):
                broker.__exit__(type(error), error, None)

    def test_a_closed_terminal_ends_everything_in_order(self):
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            with subprocess.Popen([sys.executable, "-B", "-c", END_IN_ORDER,
                                   str(BENCH / "side-by-side")],
                                  stdout=subprocess.PIPE, text=True) as program:
                directory = pathlib.Path(program.stdout.readline().strip())
                self.assertTrue(directory.exists())
                program.send_signal(number)
                self.assertEqual(128 + number, program.wait(PATIENCE_S))
            self.assertFalse(directory.exists())

    def test_what_somebody_has_set_for_other_runs_does_not_reach_these(self):
        broker = types.SimpleNamespace(bootstrap="127.0.0.1:1")
        settings = Settings(WORKLOADS["count"], "at_least_once", "tuned", "", "", "3", 0)
        os.environ["PB_EXTRA"] = "linger.ms=5"
        self.addCleanup(os.environ.pop, "PB_EXTRA")
        given = Runner(broker, None, None).environment(settings, "an-app", "pb-kv", "pb-out")
        self.assertNotIn("PB_EXTRA", given)
        self.assertEqual("3", given["PB_THREADS"])
        self.assertIn("PATH", given)


class WhereTheTimeGoes(unittest.TestCase):
    """perf's own words: thread, process/thread, nanoseconds, address, what holds it."""
    SAMPLES = """
  StreamThread-1 40/41   500250  5632d57f682b (/home/me/peer_candidate)
  StreamThread-1 40/41   500250  7f0000000001 (/usr/lib/librdkafka.so.1)
    rdk:broker1 40/44    500250  7f0000000002 (/usr/lib/x86_64-linux-gnu/libc.so.6)
    rdk:broker1 40/44    500250  ffffffff9100 ([kernel.kallsyms])
 C2 CompilerThre 17/18   500250  7fc0da2d3f6b (/usr/lib/jvm/server/libjvm.so)
 data-plane-kafk 17/19   500250  7fc0bda84dc5 (/tmp/perf-17.map)
 data-plane-kafk 17/19   500250  ffffffff9101 ([kernel.kallsyms])
         swapper 0/0     500250  ffffffff9102 ([kernel.kallsyms])
memfd:sealed (x) 99/99   500250  55555ed38b2b (memfd:sealed-91 (deleted))
"""

    def test_each_sample_is_somewhere_and_none_in_two_places(self):
        found = by_place(self.SAMPLES, side=40, broker=17)
        self.assertEqual(found, {
            "own": 500250, "client": 500250, "memory": 500250, "kernel": 500250,
            "broker_jit": 500250, "broker": 2 * 500250, "idle": 500250, "other": 500250})

    def test_people_read_nanoseconds_and_parts(self):
        lines = list(lines_of({"own": 250.4, "broker": 749.6}))
        self.assertRegex(lines[1], r"^Thalweg's own code and RocksDB +250 +25\.0%$")
        self.assertRegex(lines[2], r"^the broker +750 +75\.0%$")


if __name__ == "__main__":
    unittest.main()
