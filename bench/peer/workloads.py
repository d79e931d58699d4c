"""The workloads: which topics go in, how many records, and how outputs are compared."""

import dataclasses

# Of every topic.
PARTITIONS = 4
# Of a record's value, and what a broker keeps beside it: key, header, index.
VALUE_BYTES = {"shuffle": 1024, "auctions": 500, "persons": 200}
RECORD_BYTES = 40


@dataclasses.dataclass(frozen=True)
class Input:
    topic: str
    data_set: str
    records: int
    # What part of them a quick run has.
    quick: int = 5

    def size(self):
        return self.records * (VALUE_BYTES.get(self.data_set, 100) + RECORD_BYTES)


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    about: str
    inputs: tuple[Input, ...]
    # Of the inputs' records, how many the application counts: those of tables are not.
    streams: int = 1
    # How many records the last step with state has to see: as many as went in ("inputs"), as many
    # as the rules of ShuffleBench chose ("matches") or the windows of q5 have auctions ("windows"),
    # or nobody counts there (None).
    counted_at_end: str | None = None
    # What has to be equal: every record ("all"), the last one of each key ("last"), how many there
    # are, but for a few ("about"), the sum of the last counts ("sum"), what was restored
    # ("restored"), that all came out that went in ("arrived"), or nothing (None).
    equal: str | None = "all"
    # Where "last" is equal: each update is determined too, so all are once no cache swallows any.
    updates: bool = False
    # What is equal is so with its partition and its timestamp, which both sides promise.
    stamped: bool = False
    # The topology, where it is that of another workload.
    topology: str | None = None
    # How many bytes come out for one that goes in, where those are many.
    fan_out: int = 1
    # Of a steady load that is offered to a running application: records per second.
    rate: int = 0
    profile: str = "tuned"
    # Kafka Streams with less heap than this spends its time collecting garbage.
    heap: str = "512m"

    @property
    def runs_embedded(self):
        """A load that is offered comes from outside, where only a broker is reached."""
        return not self.rate

    def records(self):
        return sum(data.records for data in self.inputs[: self.streams])

    def disk_bytes(self, embedded):
        """What a broker and the sides need at most: inputs, one run's outputs, repartition topics
        and changelogs, those of the run before, which are not deleted at once, and state."""
        inputs = sum(data.size() for data in self.inputs)
        return 1_000_000_000 + (10 if embedded else 7) * self.fan_out * inputs

    def give_or_take(self):
        """ShuffleBench's outputs depend a little on which of two records came first."""
        return max(16, self.records() // 25_000)


KV = Input("pb-kv", "kv", 5_000_000)
# Each record is in 60 windows.
HOP = Input("pb-hop", "few", 500_000)
TABLE = Input("pb-table", "table", 100_000, quick=1)
LEFT = Input("pb-left", "left", 1_000_000)
RIGHT = Input("pb-right", "right", 1_000_000)
ORDERS = Input("pb-orders", "orders", 1_000_000)
# Of fifty events of Nexmark one is a person, three are auctions and 46 are bids.
AUCTIONS = Input("pb-auctions", "auctions", 120_000)
# q8 reads no bids: as many of the others as in ten times as many events.
MORE_PERSONS = Input("pb-persons", "persons", 400_000)
MORE_AUCTIONS = Input("pb-auctions", "auctions", 1_200_000)
BIDS = Input("pb-bids", "bids", 1_840_000)
SHUFFLE = Input("pb-shuffle", "shuffle", 1_000_000, quick=10)
IDLE = Input("pb-idle", "kv", 0)
RESTORE_APPLICATION = "pb-restore"
CHANGELOG = Input(f"{RESTORE_APPLICATION}-store-changelog", "keys", 5_000_000)

WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("map", "filter and map_values, no state", (KV,), stamped=True),
        Workload("count", "count by key, updates to the output", (KV,), equal="last",
                 updates=True, stamped=True),
        Workload("window", "count by key in windows of a minute", (KV,), equal="last",
                 updates=True, stamped=True, heap="1g"),
        Workload("hop", "count by key in windows of 10 minutes, one every 10 s", (HOP,),
                 equal="last", updates=True, stamped=True, fan_out=15, heap="1g"),
        Workload("stjoin", "stream joined with a table of 100,000 rows", (KV, TABLE),
                 stamped=True),
        Workload("ssjoin", "streams joined within 10 s", (LEFT, RIGHT), streams=2, stamped=True,
                 heap="1g"),
        Workload("repart", "a new key, a repartition topic, a sum", (KV,),
                 counted_at_end="inputs", equal="last", stamped=True),
        Workload("shuffle", "ShuffleBench: a million rules, consumers of 1 KiB", (SHUFFLE,),
                 counted_at_end="matches", equal="about", heap="1g"),
        Workload("saga", "orders through stock, payment and completion: three hops", (ORDERS,),
                 counted_at_end="inputs", stamped=True, heap="1g"),
        Workload("saga-latency", "saga under a steady load: how long an order takes", (),
                 equal="arrived", topology="saga", rate=10_000, profile="tuned-latency", heap="1g"),
        Workload("failover", "count by two processes, of which one is lost: the longest silence",
                 (), equal="arrived", topology="count", rate=5_000),
        Workload("nexmark-q1", "prices of bids in another currency", (BIDS,), stamped=True),
        Workload("nexmark-q5", "the auctions with the most bids of 10 s, every 2 s", (BIDS,),
                 counted_at_end="windows", equal="last", heap="1g"),
        Workload("nexmark-q8", "persons who came and opened auctions within 10 s",
                 (MORE_PERSONS, MORE_AUCTIONS), streams=2, counted_at_end="inputs", equal="last",
                 heap="1g"),
        Workload("nexmark-q11", "bids of each bidder's sessions", (BIDS,),
                 counted_at_end="inputs", equal="last", heap="1g"),
        Workload("nexmark-q12", "bids of each bidder in 10 s of the machine's time", (BIDS,),
                 counted_at_end="inputs", equal="sum", heap="1g"),
        Workload("nexmark-q17", "bids and prices of each auction and day", (BIDS,),
                 equal="last", heap="1g"),
        Workload("nexmark-q18", "the last bid of each bidder on each auction", (BIDS,),
                 counted_at_end="inputs", equal="last", heap="1g"),
        Workload("nexmark-q20", "bids joined with auctions, nothing forgotten", (BIDS, AUCTIONS),
                 streams=2, heap="1g"),
        Workload("iq", "count, and random reads of its store from outside", (KV,), equal="last",
                 updates=True, stamped=True),
        Workload("restore", "a store from its changelog", (IDLE, CHANGELOG), equal="restored"),
        Workload("startup", "from exec to running, then nothing to do", (IDLE,), equal=None),
    )
}

# Of failover: what makes each side's session end, and what it is given for that.
SCENARIOS = {
    "default": {},
    "session": {"PB_SESSION_MS": "6000"},
    "standby": {"PB_SESSION_MS": "6000", "PB_STANDBY": "1"},
    "static": {},
    "stop": {},
    "restart": {"PB_INSTANCE": "instance-1"},
}
# A side that only misses a process after 45 s, its own default, takes longer than a quick run may.
SLOW_SCENARIOS = ("default", "stop")


def quick(workload):
    """The same with fewer records."""
    inputs = tuple(
        dataclasses.replace(data, records=data.records // data.quick) for data in workload.inputs
    )
    return dataclasses.replace(workload, inputs=inputs)


def without_cache(workload):
    """What has to be equal when every update goes out."""
    return dataclasses.replace(workload, equal="all") if workload.updates else workload
