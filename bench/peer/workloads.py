"""The workloads: which topics go in, how many records, and how outputs are compared."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Input:
    topic: str
    data_set: str
    records: int


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    about: str
    inputs: tuple[Input, ...]
    # Of the inputs' records, how many the application counts: those of tables are not.
    streams: int = 1
    # How many records the last step with state has to see: as many as went in ("inputs"), as many
    # as the rules chose ("matches"), or nobody counts there (None).
    counted_at_end: str | None = None
    # What has to be equal: every record ("all"), the last one of each key ("last"), how many there
    # are, but for a few ("about"), what was restored ("restored"), or nothing (None).
    equal: str | None = "all"
    # The topology, where it is that of another workload.
    topology: str | None = None
    # Of a steady load that is offered to a running application: records per second.
    rate: int = 0
    profile: str = "tuned"
    # Kafka Streams with less heap than this spends its time collecting garbage.
    heap: str = "512m"

    def records(self):
        return sum(data.records for data in self.inputs[: self.streams])


# ShuffleBench's outputs depend a little on which of two records came first.
ABOUT = 40

KV = Input("pb-kv", "kv", 5_000_000)
# Each record is in 60 windows.
HOP = Input("pb-hop", "few", 500_000)
TABLE = Input("pb-table", "table", 100_000)
LEFT = Input("pb-left", "left", 1_000_000)
RIGHT = Input("pb-right", "right", 1_000_000)
ORDERS = Input("pb-orders", "orders", 1_000_000)
SHUFFLE = Input("pb-shuffle", "shuffle", 1_000_000)
IDLE = Input("pb-idle", "kv", 0)
RESTORE_APPLICATION = "pb-restore"
CHANGELOG = Input(f"{RESTORE_APPLICATION}-store-changelog", "keys", 5_000_000)

WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("map", "filter and map_values, no state", (KV,)),
        Workload("count", "count by key, updates to the output", (KV,), equal="last"),
        Workload("window", "count by key in windows of a minute", (KV,), equal="last", heap="1g"),
        Workload("hop", "count by key in windows of 10 minutes, one every 10 s", (HOP,),
                 equal="last", heap="1g"),
        Workload("stjoin", "stream joined with a table of 100,000 rows", (KV, TABLE)),
        Workload("ssjoin", "streams joined within 10 s", (LEFT, RIGHT), streams=2, heap="1g"),
        Workload("repart", "a new key, a repartition topic, a sum", (KV,),
                 counted_at_end="inputs", equal="last"),
        Workload("shuffle", "ShuffleBench: a million rules, consumers of 1 KiB", (SHUFFLE,),
                 counted_at_end="matches", equal="about", heap="1g"),
        Workload("saga", "orders through stock, payment and completion: three hops", (ORDERS,),
                 counted_at_end="inputs", heap="1g"),
        Workload("saga-latency", "saga under a steady load: how long an order takes", (),
                 equal=None, topology="saga", rate=10_000, profile="tuned-latency", heap="1g"),
        Workload("failover", "count by two processes, of which one is lost: the longest silence",
                 (), equal=None, topology="count", rate=5_000),
        Workload("iq", "count, and random reads of its store from outside", (KV,), equal="last"),
        Workload("restore", "a store from its changelog", (IDLE, CHANGELOG), equal="restored"),
        Workload("startup", "from exec to running, then nothing to do", (IDLE,), equal=None),
    )
}

# Records of each input in a quick run.
QUICK_RECORDS = {
    "pb-kv": 1_000_000,
    "pb-hop": 100_000,
    "pb-table": 100_000,
    "pb-left": 200_000,
    "pb-right": 200_000,
    "pb-orders": 200_000,
    "pb-shuffle": 100_000,
    "pb-idle": 0,
    CHANGELOG.topic: 1_000_000,
}


def quick(workload):
    """The same with fewer records."""
    inputs = tuple(
        dataclasses.replace(data, records=QUICK_RECORDS[data.topic]) for data in workload.inputs
    )
    return dataclasses.replace(workload, inputs=inputs)
