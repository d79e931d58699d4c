import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.WindowedSerdes;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.TimestampedKeyValueStore;
import org.apache.kafka.streams.state.ValueAndTimestamp;
import org.apache.kafka.streams.state.WindowStore;

import java.nio.ByteBuffer;
import java.time.Duration;

/** The topologies of the workloads: those that topologies.cc builds for Thalweg. */
final class PeerTopologies {
    private static final Serde<String> STRING = Serdes.String();
    private static final Serde<byte[]> BLOB = Serdes.ByteArray();
    private static final Serde<Long> LONG = Serdes.Long();
    private static final String OUTPUT = PeerSettings.OUTPUT;

    private PeerTopologies() { }

    static Topology build() {
        final StreamsBuilder builder = new StreamsBuilder();
        switch (PeerSettings.WORKLOAD) {
            case "map" -> map(builder);
            case "count", "iq", "startup" -> count(builder);
            case "window" -> window(builder,
                    TimeWindows.ofSizeWithNoGrace(Duration.ofMinutes(1)));
            case "hop" -> window(builder, TimeWindows.ofSizeWithNoGrace(Duration.ofMinutes(10))
                    .advanceBy(Duration.ofSeconds(10)));
            case "stjoin" -> streamTableJoin(builder);
            case "ssjoin" -> streamStreamJoin(builder);
            case "repart" -> repartition(builder);
            case "shuffle" -> Shuffle.build(builder);
            case "saga" -> Saga.build(builder);
            case "restore" -> restore(builder);
            default -> Nexmark.build(PeerSettings.WORKLOAD, builder);
        }
        return builder.build(PeerSettings.topologyConfig());
    }

    private static KStream<String, byte[]> counted(final StreamsBuilder builder, final int input) {
        return builder.stream(PeerSettings.INPUTS[input], Consumed.with(STRING, BLOB))
                .peek((key, value) -> Progress.countIn());
    }

    private static Materialized<String, Long, KeyValueStore<Bytes, byte[]>> longs(
            final String store) {
        return Materialized.<String, Long, KeyValueStore<Bytes, byte[]>>as(store)
                .withKeySerde(STRING).withValueSerde(LONG);
    }

    private static void map(final StreamsBuilder builder) {
        builder.stream(PeerSettings.INPUTS[0], Consumed.with(STRING, BLOB))
                .filter((key, value) -> {
                    Progress.countIn();
                    return Blob.readLong(value, 0) % 10 != 0;
                })
                .mapValues(value -> {
                    final byte[] changed = value.clone();
                    ByteBuffer.wrap(changed).putLong(0, Blob.readLong(value, 0) + 1);
                    return changed;
                })
                .to(OUTPUT, Produced.with(STRING, BLOB));
    }

    private static void count(final StreamsBuilder builder) {
        counted(builder, 0)
                .groupByKey(Grouped.with(STRING, BLOB))
                .count(longs("counts"))
                .toStream()
                .to(OUTPUT, Produced.with(STRING, LONG));
    }

    private static void window(final StreamsBuilder builder, final TimeWindows windows) {
        final var windowed = WindowedSerdes.timeWindowedSerdeFrom(String.class, windows.size());
        counted(builder, 0)
                .groupByKey(Grouped.with(STRING, BLOB))
                .windowedBy(windows)
                .count(Materialized.<String, Long, WindowStore<Bytes, byte[]>>as("wcounts")
                        .withKeySerde(STRING).withValueSerde(LONG))
                .toStream()
                .to(OUTPUT, Produced.with(windowed, LONG));
    }

    private static void streamTableJoin(final StreamsBuilder builder) {
        final KTable<String, byte[]> table = builder.table(PeerSettings.INPUTS[1],
                Consumed.with(STRING, BLOB),
                Materialized.<String, byte[], KeyValueStore<Bytes, byte[]>>as("table")
                        .withKeySerde(STRING).withValueSerde(BLOB));
        counted(builder, 0)
                .join(table, Blob::pairOf, Joined.with(STRING, BLOB, BLOB))
                .to(OUTPUT, Produced.with(STRING, BLOB));
    }

    private static void streamStreamJoin(final StreamsBuilder builder) {
        final JoinWindows windows = JoinWindows.ofTimeDifferenceAndGrace(
                Duration.ofSeconds(10), Duration.ofSeconds(5));
        final KStream<String, byte[]> left = counted(builder, 0);
        final KStream<String, byte[]> right = counted(builder, 1);
        left.join(right, Blob::pairOf, windows,
                        StreamJoined.with(STRING, BLOB, BLOB).withStoreName("ss"))
                .to(OUTPUT, Produced.with(STRING, BLOB));
    }

    private static void repartition(final StreamsBuilder builder) {
        counted(builder, 0)
                .selectKey((key, value) -> "g" + Blob.readInt(value, 8))
                .groupByKey(Grouped.with("bygroup", STRING, BLOB))
                .aggregate(() -> 0L, (key, value, sum) -> {
                    Progress.DONE.increment();
                    return sum + Blob.readLong(value, 0);
                }, longs("sums"))
                .toStream()
                .to(OUTPUT, Produced.with(STRING, LONG));
    }

    /** A store whose changelog is there already. */
    private static void restore(final StreamsBuilder builder) {
        builder.addStateStore(Stores.timestampedKeyValueStoreBuilder(
                Stores.persistentTimestampedKeyValueStore("store"), STRING, BLOB));
        builder.stream(PeerSettings.INPUTS[0], Consumed.with(STRING, BLOB))
                .process(() -> new ContextualProcessor<String, byte[], Void, Void>() {
                    @Override
                    public void process(final Record<String, byte[]> record) {
                        final TimestampedKeyValueStore<String, byte[]> store =
                                context().getStateStore("store");
                        store.put(record.key(),
                                ValueAndTimestamp.make(record.value(), record.timestamp()));
                    }
                }, "store");
    }
}
