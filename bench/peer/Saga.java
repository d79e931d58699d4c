import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.processor.api.ContextualFixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorSupplier;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

import java.util.Set;
import java.util.function.ToLongFunction;

/** Orders take stock, then money, then are complete: three hops, three stores. */
final class Saga {
    private static final Serde<Long> ID = Serdes.Long();
    private static final Serde<byte[]> BLOB = Serdes.ByteArray();

    // Where an order of 100 bytes keeps what.
    private static final int ORDER = 0;
    private static final int PRODUCT = 8;
    private static final int USER = 12;
    private static final int QUANTITY = 16;
    private static final int AMOUNT = 20;
    private static final int STATUS = 36;

    private static final byte NEW = 0;
    private static final byte RESERVED = 1;
    private static final byte OUT_OF_STOCK = 2;
    private static final byte PAID = 3;
    private static final byte DECLINED = 4;
    private static final byte COMPLETED = 5;
    private static final byte REJECTED = 6;

    private Saga() { }

    static void build(final StreamsBuilder builder) {
        final Step stock = new Step("stock", NEW, RESERVED, OUT_OF_STOCK, 10_000_000L,
                order -> Blob.readInt(order, QUANTITY));
        final Step payment = new Step("payment", RESERVED, PAID, DECLINED, 1_000_000_000L,
                order -> Blob.readLong(order, AMOUNT));
        builder.stream(PeerSettings.INPUTS[0], Consumed.with(ID, BLOB))
                .peek((key, value) -> Progress.countIn())
                .selectKey((key, order) -> (long) Blob.readInt(order, PRODUCT))
                .repartition(hop("stock"))
                .processValues(new TakerSupplier(stock))
                .selectKey((key, order) -> (long) Blob.readInt(order, USER))
                .repartition(hop("payment"))
                .processValues(new TakerSupplier(payment))
                .selectKey((key, order) -> Blob.readLong(order, ORDER))
                .repartition(hop("completion"))
                .processValues(new CompleterSupplier())
                .to(PeerSettings.OUTPUT, Produced.with(ID, BLOB));
    }

    private static Repartitioned<Long, byte[]> hop(final String name) {
        return Repartitioned.with(ID, BLOB).withName(name);
    }

    private static <V> StoreBuilder<?> store(final String name, final Serde<V> values) {
        final var store = Stores.keyValueStoreBuilder(
                Stores.persistentKeyValueStore(name), ID, values);
        return PeerSettings.TUNED ? store.withCachingEnabled() : store;
    }

    /** Takes an amount from what its key has left ({@code first} at first), if there is enough. */
    private record Step(String store, byte from, byte taken, byte refused, long first,
                        ToLongFunction<byte[]> amount) { }

    private record TakerSupplier(Step step)
            implements FixedKeyProcessorSupplier<Long, byte[], byte[]> {
        @Override
        public Set<StoreBuilder<?>> stores() {
            return Set.of(store(step.store(), Serdes.Long()));
        }

        @Override
        public FixedKeyProcessor<Long, byte[], byte[]> get() {
            return new Taker(step);
        }
    }

    private static final class Taker extends ContextualFixedKeyProcessor<Long, byte[], byte[]> {
        private final Step step;
        private KeyValueStore<Long, Long> left;

        Taker(final Step step) {
            this.step = step;
        }

        @Override
        public void init(final FixedKeyProcessorContext<Long, byte[]> context) {
            super.init(context);
            left = context.getStateStore(step.store());
        }

        @Override
        public void process(final FixedKeyRecord<Long, byte[]> record) {
            final byte[] order = record.value().clone();
            if (order[STATUS] == step.from()) {
                final Long found = left.get(record.key());
                final long before = found == null ? step.first() : found;
                final long amount = step.amount().applyAsLong(order);
                order[STATUS] = before < amount ? step.refused() : step.taken();
                if (before >= amount) {
                    left.put(record.key(), before - amount);
                }
            }
            context().forward(record.withValue(order));
        }
    }

    private static final class CompleterSupplier
            implements FixedKeyProcessorSupplier<Long, byte[], byte[]> {
        @Override
        public Set<StoreBuilder<?>> stores() {
            return Set.of(store("orders", BLOB));
        }

        @Override
        public FixedKeyProcessor<Long, byte[], byte[]> get() {
            return new Completer();
        }
    }

    /** Keeps the order's final state; a second copy of an order is dropped. */
    private static final class Completer
            extends ContextualFixedKeyProcessor<Long, byte[], byte[]> {
        private KeyValueStore<Long, byte[]> orders;

        @Override
        public void init(final FixedKeyProcessorContext<Long, byte[]> context) {
            super.init(context);
            orders = context.getStateStore("orders");
        }

        @Override
        public void process(final FixedKeyRecord<Long, byte[]> record) {
            if (orders.get(record.key()) == null) {
                final byte[] order = record.value().clone();
                order[STATUS] = order[STATUS] == PAID ? COMPLETED : REJECTED;
                orders.put(record.key(), order);
                context().forward(record.withValue(order));
            }
            Progress.DONE.increment();
        }
    }
}
