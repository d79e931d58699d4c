import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.state.RocksDBConfigSetter;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.Cache;
import org.rocksdb.CompressionType;
import org.rocksdb.Filter;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;

import java.util.List;
import java.util.Map;
import java.util.Properties;

/** What a run is asked for, by the environment variables that bench/README.md lists. */
final class PeerSettings {
    private static final int MEBIBYTE = 1 << 20;

    static final String WORKLOAD = variable("WORKLOAD", "count");
    static final String GUARANTEE = variable("GUARANTEE", StreamsConfig.AT_LEAST_ONCE);
    static final String PROFILE = variable("PROFILE", "default");
    static final boolean TUNED = PROFILE.startsWith("tuned");
    static final boolean SERVES = variable("MODE", "drain").equals("serve");
    static final String[] INPUTS = variable("IN", "pb-kv").split(",");
    static final String OUTPUT = variable("OUT", "pb-out");
    static final long RECORDS = number("N", 0);
    static final long RECORDS_DONE = number("N_DONE", 0);
    static final long STARTED_AT_NS = number("T0_NS", 0);
    static final long LIMIT_S = number("LIMIT_S", 240);
    static final long IDLE_S = number("IDLE_S", 4);
    static final int STATE_BYTES = (int) number("STATE_SIZE", 1024);
    static final String READY_FILE = variable("READY_FILE", "");

    // Both as in settings.cc.
    private static final List<String> WITH_TWO_INPUTS =
            List.of("stjoin", "ssjoin", "nexmark-q8", "nexmark-q20");
    private static final List<String> WITH_COUNT_AT_THE_END =
            List.of("repart", "shuffle", "saga", "nexmark-q5", "nexmark-q8", "nexmark-q11",
                    "nexmark-q12", "nexmark-q18");

    private PeerSettings() { }

    /**
     * Refuses what would end at once, never, or be a run of something else than what was asked
     * for.
     */
    static void check() {
        oneOf("PROFILE", PROFILE, "default", "tuned", "tuned-latency");
        oneOf("MODE", variable("MODE", "drain"), "drain", "serve");
        oneOf("LOG", variable("LOG", "kafka"), "kafka");
        atLeast("N", RECORDS, 0);
        atLeast("N_DONE", RECORDS_DONE, 0);
        atLeast("LIMIT_S", LIMIT_S, 1);
        atLeast("IDLE_S", IDLE_S, 0);
        final int inputs = WITH_TWO_INPUTS.contains(WORKLOAD) ? 2 : 1;
        if (INPUTS.length < inputs) {
            throw new IllegalArgumentException("PB_IN has too few topics for " + WORKLOAD + ": "
                    + inputs + " are needed");
        }
        if (RECORDS_DONE > 0 && !WITH_COUNT_AT_THE_END.contains(WORKLOAD)) {
            throw new IllegalArgumentException("PB_N_DONE is for workloads that count at their"
                    + " last step, not " + WORKLOAD);
        }
        final boolean hasRecords =
                !SERVES && !WORKLOAD.equals("restore") && !WORKLOAD.equals("startup");
        if (hasRecords && RECORDS == 0) {
            throw new IllegalArgumentException(
                    "PB_N is not set: how many records is the run to process?");
        }
    }

    /**
     * Where there are several hops, the source runs ahead of the last one: a record is done when
     * that one has had it.
     */
    static boolean endsWithTheLastStep() {
        return RECORDS_DONE > 0 && RECORDS_DONE == RECORDS;
    }

    private static void oneOf(final String name, final String value, final String... words) {
        if (!List.of(words).contains(value)) {
            throw new IllegalArgumentException("PB_" + name + " is none of "
                    + String.join(", ", words) + ": " + value);
        }
    }

    private static void atLeast(final String name, final long value, final long least) {
        if (value < least) {
            throw new IllegalArgumentException(
                    "PB_" + name + " is less than " + least + ": " + value);
        }
    }

    static String variable(final String name, final String otherwise) {
        final String value = System.getenv("PB_" + name);
        return value == null || value.isEmpty() ? otherwise : value;
    }

    private static long number(final String name, final long otherwise) {
        final String text = variable(name, Long.toString(otherwise));
        try {
            return Long.parseLong(text);
        } catch (final NumberFormatException e) {
            throw new IllegalArgumentException("PB_" + name + " is no whole number: " + text);
        }
    }

    static Properties config() {
        final Properties config = new Properties();
        config.put(StreamsConfig.APPLICATION_ID_CONFIG, variable("APP_ID", "pb-app"));
        config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG,
                variable("BOOTSTRAP", "127.0.0.1:29092"));
        config.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, GUARANTEE);
        config.put(StreamsConfig.STATE_DIR_CONFIG, variable("STATE_DIR", "/tmp/pb-state"));
        config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        config.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, variable("THREADS", TUNED ? "2" : "1"));
        if (TUNED) {
            tune(config);
        }
        setIfGiven(config, StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, "COMMIT_MS");
        setIfGiven(config, StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, "CACHE");
        setIfGiven(config, ConsumerConfig.GROUP_INSTANCE_ID_CONFIG, "INSTANCE");
        setIfGiven(config, StreamsConfig.NUM_STANDBY_REPLICAS_CONFIG, "STANDBY");
        final long session = number("SESSION_MS", 0);
        if (session > 0) {
            config.put(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, Long.toString(session));
            config.put(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG, Long.toString(session / 4));
        }
        if (WORKLOAD.equals("restore")) {
            // The next run has the same application id: it must not wait for this one's session.
            config.put(StreamsConfig.consumerPrefix("internal.leave.group.on.close"), "true");
        }
        for (final String assignment : variable("EXTRA", "").split(",")) {
            final int equals = assignment.indexOf('=');
            if (equals > 0) {
                config.put(assignment.substring(0, equals), assignment.substring(equals + 1));
            }
        }
        return config;
    }

    /** Settings of the topology itself. */
    static Properties topologyConfig() {
        final Properties config = new Properties();
        if (TUNED) {
            config.put(StreamsConfig.TOPOLOGY_OPTIMIZATION_CONFIG, StreamsConfig.OPTIMIZE);
        }
        return config;
    }

    private static void setIfGiven(final Properties config, final String key, final String name) {
        final String value = variable(name, "");
        if (!value.isEmpty()) {
            config.put(key, value);
        }
    }

    /** What somebody sets who knows Kafka Streams and two cores. */
    private static void tune(final Properties config) {
        config.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG,
                Integer.toString(128 * MEBIBYTE));
        config.put(StreamsConfig.TOPOLOGY_OPTIMIZATION_CONFIG, StreamsConfig.OPTIMIZE);
        config.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, "5000");
        config.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, "5000");
        config.put(StreamsConfig.ROCKSDB_CONFIG_SETTER_CLASS_CONFIG, TunedRocksDb.class.getName());
        config.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG),
                Integer.toString(4 * MEBIBYTE));
        config.put(StreamsConfig.consumerPrefix(ConsumerConfig.RECEIVE_BUFFER_CONFIG),
                Integer.toString(MEBIBYTE));
        config.put(StreamsConfig.restoreConsumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG),
                "20000");
        config.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), "262144");
        config.put(StreamsConfig.producerPrefix(ProducerConfig.BUFFER_MEMORY_CONFIG),
                Integer.toString(64 * MEBIBYTE));
        if (PROFILE.contains("latency")) {
            config.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), "2");
        }
    }

    /** One block cache for all stores, bloom filters, larger blocks and memtables. */
    public static final class TunedRocksDb implements RocksDBConfigSetter {
        static {
            RocksDB.loadLibrary();
        }

        private static final Cache BLOCKS = new LRUCache(128L * MEBIBYTE);
        private static final Filter BLOOM = new BloomFilter(10);

        @Override
        public void setConfig(final String store, final Options options,
                              final Map<String, Object> config) {
            final var table = (BlockBasedTableConfig) options.tableFormatConfig();
            table.setBlockCache(BLOCKS);
            table.setFilterPolicy(BLOOM);
            table.setBlockSize(16 << 10);
            options.setTableFormatConfig(table);
            options.setWriteBufferSize(32L * MEBIBYTE);
            options.setMaxWriteBufferNumber(3);
            options.setCompressionType(CompressionType.LZ4_COMPRESSION);
        }

        @Override
        public void close(final String store, final Options options) { }
    }
}
