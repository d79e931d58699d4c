import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.processor.api.ContextualFixedKeyProcessor;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorSupplier;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Set;

/** ShuffleBench: a million rules choose records for consumers with state. */
final class Shuffle {
    private static final Serde<String> STRING = Serdes.String();
    private static final Serde<byte[]> BLOB = Serdes.ByteArray();
    private static final String STORE = "consumerAggregation";
    private static final int RECORDS_PER_OUTPUT = 10;

    // What a consumer keeps: count, sum, first time, last time, the record.
    private static final int COUNT = 0;
    private static final int SUM = 8;
    private static final int FIRST = 16;
    private static final int LAST = 24;
    private static final int COPY = 32;

    private Shuffle() { }

    static void build(final StreamsBuilder builder) {
        final ShuffleRules rules = new ShuffleRules(ShuffleRules.RULES, ShuffleRules.SELECTIVITY);
        builder.stream(PeerSettings.INPUTS[0], Consumed.with(BLOB, BLOB))
                .process(() -> new Matcher(rules))
                .repartition(Repartitioned.<String, byte[]>with(STRING, BLOB).withName("shuffle"))
                .processValues(new ConsumerSupplier())
                .to(PeerSettings.OUTPUT, Produced.with(STRING, BLOB));
    }

    /** Sends a record to the consumer of every rule that wants it. */
    private static final class Matcher extends ContextualProcessor<byte[], byte[], String, byte[]> {
        private final ShuffleRules rules;

        Matcher(final ShuffleRules rules) {
            this.rules = rules;
        }

        @Override
        public void process(final Record<byte[], byte[]> record) {
            Progress.countIn();
            final byte[] value = record.value();
            rules.match(value, rule -> {
                final byte[] stamped = ByteBuffer.allocate(8 + value.length)
                        .putLong(record.timestamp()).put(value).array();
                context().forward(record.withKey("consumer_" + rule).withValue(stamped));
            });
        }
    }

    private static final class ConsumerSupplier
            implements FixedKeyProcessorSupplier<String, byte[], byte[]> {
        @Override
        public Set<StoreBuilder<?>> stores() {
            final var store = Stores.keyValueStoreBuilder(
                    Stores.persistentKeyValueStore(STORE), STRING, BLOB);
            return Set.of(PeerSettings.TUNED ? store.withCachingEnabled() : store);
        }

        @Override
        public FixedKeyProcessor<String, byte[], byte[]> get() {
            return new Consumer();
        }
    }

    private static final class Consumer
            extends ContextualFixedKeyProcessor<String, byte[], byte[]> {
        private KeyValueStore<String, byte[]> store;

        @Override
        public void init(final FixedKeyProcessorContext<String, byte[]> context) {
            super.init(context);
            store = context.getStateStore(STORE);
        }

        @Override
        public void process(final FixedKeyRecord<String, byte[]> record) {
            final ByteBuffer value = ByteBuffer.wrap(record.value());
            byte[] kept = store.get(record.key());
            long before = 0;
            if (kept == null) {
                // New ones start anywhere, so that not all of them put out at once.
                kept = new byte[PeerSettings.STATE_BYTES];
                before = Long.remainderUnsigned(
                        ShuffleRules.mix(value.getLong(8)), RECORDS_PER_OUTPUT);
            }
            final ByteBuffer state = ByteBuffer.wrap(kept);
            final long count = state.getLong(COUNT) + before + 1;
            state.putLong(COUNT, count);
            state.putLong(SUM, state.getLong(SUM) + value.getLong(8));
            if (count == 1) {
                state.putLong(FIRST, value.getLong(0));
            }
            state.putLong(LAST, value.getLong(0));
            System.arraycopy(record.value(), 8, kept, COPY,
                    Math.min(kept.length - COPY, record.value().length - 8));
            byte[] full = null;
            if (count == RECORDS_PER_OUTPUT) {
                full = kept.clone();
                Arrays.fill(kept, (byte) 0);
            }
            store.put(record.key(), kept);
            if (full != null) {
                context().forward(record.withValue(full));
            }
            Progress.DONE.increment();
        }
    }
}
