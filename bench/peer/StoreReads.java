import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.state.QueryableStoreTypes;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;

import java.util.Locale;
import java.util.function.BooleanSupplier;

/** Random reads of the store of the workload iq, each timed. */
final class StoreReads {
    private static final int TENTHS = 100_000;
    private static final long KEYS = 100_000;

    private final long[] byTenths = new long[TENTHS];
    private long count;
    private long found;

    private StoreReads() { }

    /**
     * What was seen: members of a JSON object, their names after the tag; the share of reads that
     * found a row; and for how long there were reads.
     */
    record Seen(String members, double hitRate, double seconds) { }

    static Seen measure(final KafkaStreams streams, final int threads, final double seconds,
                        final String tag) throws InterruptedException {
        return measure(streams, threads, seconds, tag, () -> false);
    }

    /** Reads for so long, or until `stop`. */
    static Seen measure(final KafkaStreams streams, final int threads, final double seconds,
                        final String tag, final BooleanSupplier stop)
            throws InterruptedException {
        final ReadOnlyKeyValueStore<String, Long> store = streams.store(
                StoreQueryParameters.fromNameAndType("counts",
                        QueryableStoreTypes.keyValueStore()));
        final StoreReads[] parts = new StoreReads[threads];
        final Thread[] readers = new Thread[threads];
        final long begin = System.nanoTime();
        final long end = begin + (long) (seconds * 1e9);
        for (int i = 0; i < threads; i++) {
            final StoreReads part = new StoreReads();
            final long seed = i;
            parts[i] = part;
            readers[i] = new Thread(() -> part.readUntil(store, end, seed, stop));
            readers[i].start();
        }
        final StoreReads all = new StoreReads();
        for (int i = 0; i < threads; i++) {
            readers[i].join();
            all.add(parts[i]);
        }
        final double took = (System.nanoTime() - begin) / 1e9;
        final double hitRate = (double) all.found / Math.max(1, all.count);
        return new Seen(String.format(Locale.ROOT,
                ",\"%1$s_gets\":%2$.1f,\"%1$s_hit\":%3$.4f,\"%1$s_p50_us\":%4$.1f"
                        + ",\"%1$s_p99_us\":%5$.1f,\"%1$s_p999_us\":%6$.1f",
                tag, all.count / took, hitRate, all.microseconds(0.5), all.microseconds(0.99),
                all.microseconds(0.999)), hitRate, took);
    }

    private void readUntil(final ReadOnlyKeyValueStore<String, Long> store, final long end,
                           final long seed, final BooleanSupplier stop) {
        long random = ShuffleRules.mix(seed);
        long last = System.nanoTime();
        while (last < end && !stop.getAsBoolean()) {
            random = ShuffleRules.mix(random);
            if (store.get(keyOf((random >>> 20) % KEYS)) != null) {
                found++;
            }
            count++;
            final long now = System.nanoTime();
            byTenths[(int) Math.min(TENTHS - 1, (now - last) / 100)]++;
            last = now;
        }
    }

    private void add(final StoreReads other) {
        for (int i = 0; i < TENTHS; i++) {
            byTenths[i] += other.byTenths[i];
        }
        count += other.count;
        found += other.found;
    }

    private double microseconds(final double share) {
        long passed = 0;
        for (int i = 0; i < TENTHS; i++) {
            passed += byTenths[i];
            if (passed >= share * count) {
                return i / 10.0;
            }
        }
        return -1;
    }

    /** As "k%07d" has it, but fast. */
    private static String keyOf(final long number) {
        final char[] key = {'k', '0', '0', '0', '0', '0', '0', '0'};
        long rest = number;
        for (int i = 7; rest > 0; i--) {
            key[i] = (char) ('0' + rest % 10);
            rest /= 10;
        }
        return new String(key);
    }
}
