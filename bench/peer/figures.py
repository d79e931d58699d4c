"""What runs amount to: figures of each, their medians, the ratios, whether outputs are the same."""

import statistics

# Undisturbed: other programs used at most so many cores in the meantime.
QUIET_CORES = 0.3
# Reads that find less than the other side's by more than this are other reads.
HIT_RATES_DIFFER = 0.01


def given(name, scale=1):
    """A figure that a row may have under a name; neither 0 nor null is one."""
    return lambda row: row[name] / scale if row.get(name) else None


def records_per_s(row):
    return row.get("restore_rps") or row["rps"] or None


def exec_to_exit(row):
    records = row.get("restored", row["n"])
    return records / row["exec_to_exit_s"] if records and row.get("exec_to_exit_s") else None


# Name, title, and how a row tells it.
FIGURES = (
    ("records_per_s", "records/s", records_per_s),
    ("steady_records_per_s", "records/s, steady", given("steady_records_per_s")),
    ("records_per_s_exec_to_exit", "records/s, exec to exit", exec_to_exit),
    ("cpu_us_per_record", "CPU us/record", given("cpu_us_per_record")),
    ("steady_cpu_us_per_record", "CPU us/record, steady", given("steady_cpu_us_per_record")),
    ("cpu_s", "CPU s", given("cpu_s")),
    ("peak_mb", "peak memory MB", given("peak_mb")),
    ("running_ms", "exec to running ms", given("t_running_ms")),
    ("close_ms", "close ms", given("close_ms")),
    ("idle_mb", "idle memory MB", given("rss_idle_kb", 1024)),
    ("p50_ms", "p50 ms", given("p50_ms")),
    ("p99_ms", "p99 ms", given("p99_ms")),
    ("p999_ms", "p99.9 ms", given("p999_ms")),
    ("longest_gap_s", "longest silence s", given("longest_gap_s")),
    ("stop_to_running_s", "stop to running again s", given("stop_to_running_s")),
    ("reads_per_s", "reads/s under load", given("loaded1_gets")),
    ("read_p50_us", "read p50 us under load", given("loaded1_p50_us")),
    ("read_p99_us", "read p99 us under load", given("loaded1_p99_us")),
    ("read_hit_rate", "reads that found a row", given("loaded_hit_rate")),
)
TIMES = ("p50_ms", "p99_ms", "p999_ms", "longest_gap_s", "stop_to_running_s", "running_ms")


def medians(rows):
    """Of the undisturbed runs, where there are any."""
    quiet = [row for row in rows if row["other_cores"] <= QUIET_CORES] or rows
    values = {name: [of(row) for row in quiet] for name, _, of in FIGURES}
    return {name: statistics.median(found) for name, found in values.items() if None not in found}


def compared_as(peer, thalweg, name):
    """The steady figure of that name, where both sides have one: it leaves out the first fifth of
    the records, in which a JVM compiles."""
    steady = f"steady_{name}"
    return steady if steady in peer and steady in thalweg else name


def ratio(peer, thalweg, name):
    if not peer.get(name) or name not in thalweg:
        return None
    return float(f"{thalweg[name] / peer[name]:.4g}")


def ratios(peer, thalweg):
    found = {
        short: ratio(peer, thalweg, compared_as(peer, thalweg, name))
        for short, name in (("records_per_s", "records_per_s"),
                            ("cpu_per_record", "cpu_us_per_record"), ("peak_memory", "peak_mb"))
    }
    if compared_as(peer, thalweg, "records_per_s") != "records_per_s":
        found["records_per_s_with_start"] = ratio(peer, thalweg, "records_per_s")
        found["cpu_per_record_with_start"] = ratio(peer, thalweg, "cpu_us_per_record")
    return found | {name: ratio(peer, thalweg, name) for name in TIMES if name in thalweg}


def outputs_differ(workload, rows):
    """What is different between the outputs of all runs, or nothing."""
    if workload.equal is None:
        return None
    if workload.equal == "restored":
        restored = [row.get("restored_rows", row["restored"]) for row in rows]
        wanted = workload.inputs[-1].records
        # Stores estimate how many rows they have.
        near = all(abs(rows - wanted) <= wanted / 100 for rows in restored)
        return None if near else f"restored {restored}, not {wanted}"
    if workload.equal == "arrived":
        return next(filter(None, map(stayed_away, rows)), None)
    outputs = [row["output"] for row in rows]
    if workload.equal == "about":
        counts = [output["records"] for output in outputs]
        seen = [row["n_done"] for row in rows]
        same = max(counts) - min(counts) <= workload.give_or_take() and len(set(seen)) == 1
        return None if same else f"records put out: {counts}, seen by the last step: {seen}"
    fields = {"all": ("records", "all"), "last": ("keys", "last_sum", "last"),
              "sum": ("last_sum",)}[workload.equal]
    seen = [{field: output[field] for field in fields} for output in outputs]
    return None if all(one == seen[0] for one in seen) else f"outputs differ: {seen}"


def stayed_away(row):
    """What of a load that was offered did not come out as it should, or nothing. `arrived` says
    how many records are in the outputs, each counted once. At least once, a record may come out
    twice when a process is lost; none may stay away."""
    sent, arrived, records = row["sent"], row["arrived"], row["output"]["records"]
    wrong = arrived < sent
    if row["guarantee"] == "exactly_once_v2":
        wrong = not arrived == records == sent
    if not wrong:
        return None
    return f"{row['impl']}: {sent} records in, {records} out, {arrived} of them counted"


def warnings(rows):
    """What somebody should know who reads the figures."""
    disturbed = sum(row["other_cores"] > QUIET_CORES for row in rows)
    if disturbed:
        yield (f"other programs used more than {QUIET_CORES} cores in {disturbed} of {len(rows)} "
               "runs: figures are uncertain")
    hits = [row["loaded_hit_rate"] for row in rows if "loaded_hit_rate" in row]
    if hits and max(hits) - min(hits) > HIT_RATES_DIFFER:
        yield f"not all reads under load found as much: hit rates {hits}"
    if any(row.get("loaded_done") for row in rows):
        yield "the records were processed before the reads under load had ended"


def table(heading, peer, thalweg):
    """For people, the lines of a comparison."""
    yield heading
    yield f"{'':26}{'Kafka Streams':>15}{'Thalweg':>15}{'ratio':>10}"
    for name, title, _ in FIGURES:
        if name in peer and name in thalweg:
            shown = ratio(peer, thalweg, name)
            yield (f"{title:26}{peer[name]:15,.2f}{thalweg[name]:15,.2f}"
                   f"{'' if shown is None else f'{shown:.3f}':>10}")


def summary(workload, asked, rows):
    """What the last line of the output tells, of the rows of both sides."""
    peer, thalweg = medians(rows["kafka_streams"]), medians(rows["thalweg"])
    difference = outputs_differ(workload, rows["kafka_streams"] + rows["thalweg"])
    return {
        "workload": workload.name,
        "guarantee": asked["guarantee"],
        "log": asked["log"],
        "outputs_equal": None if workload.equal is None else difference is None,
        "peer": peer,
        "thalweg": thalweg,
        "ratios": ratios(peer, thalweg),
    }
