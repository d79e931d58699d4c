package oracle;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.File;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyConfig;
import org.apache.kafka.streams.errors.LogAndContinueExceptionHandler;
import org.apache.kafka.streams.errors.LogAndContinueProcessingExceptionHandler;
import org.apache.kafka.streams.state.BuiltInDslStoreSuppliers.InMemoryDslStoreSuppliers;

/**
 * What tests/golden/spec_app.cc does, with Kafka Streams: runs the topology of a spec until SIGTERM
 * (its "input" is ignored). The two hand applications over to each other.
 *
 * <p>java oracle.Live --spec FILE --bootstrap HOST:PORT --application-id ID --state-dir DIR
 * [--set key=value]...
 *
 * <p>Prints RUNNING when it is, and exits 0 after a clean close.
 */
public final class Live {
    public static void main(final String[] args) throws Exception {
        final Map<String, String> given = new HashMap<>();
        final Properties settings = new Properties();
        for (int i = 0; i + 1 < args.length; i += 2) {
            if (args[i].equals("--set")) {
                final int equals = args[i + 1].indexOf('=');
                settings.put(args[i + 1].substring(0, equals), args[i + 1].substring(equals + 1));
            } else {
                given.put(args[i], args[i + 1]);
            }
        }
        final JsonNode spec = new ObjectMapper().readTree(new File(given.get("--spec")));
        final JsonNode config =
            spec.has("config") ? spec.get("config") : JsonNodeFactory.instance.objectNode();
        final Properties properties = propertiesOf(config);
        properties.put(StreamsConfig.STATE_DIR_CONFIG, given.get("--state-dir"));
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, given.get("--application-id"));
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, given.get("--bootstrap"));
        properties.putAll(settings);
        final StreamsBuilder builder =
            new StreamsBuilder(new TopologyConfig(new StreamsConfig(properties)));
        new Interp(builder).run(spec.get("nodes"));
        final Topology topology = builder.build(properties);
        final KafkaStreams streams = new KafkaStreams(topology, properties);
        final CountDownLatch done = new CountDownLatch(1);
        streams.setStateListener((now, before) -> {
            if (now == KafkaStreams.State.RUNNING) {
                System.out.println("RUNNING");
            } else if (now == KafkaStreams.State.ERROR) {
                System.out.println("ERROR");
                done.countDown();
            }
        });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            streams.close(Duration.ofSeconds(20));
            done.countDown();
        }));
        streams.start();
        done.await();
    }

    private static Properties propertiesOf(final JsonNode config) {
        final Properties properties = new Properties();
        properties.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Interp.KeySerde.class);
        properties.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.LongSerde.class);
        properties.put(
            StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, config.path("cache").asLong(0));
        properties.put(
            StreamsConfig.TOPOLOGY_OPTIMIZATION_CONFIG, config.path("optimize").asText("none"));
        properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        properties.put(StreamsConfig.MAX_TASK_IDLE_MS_CONFIG, config.path("idle").asLong(0));
        properties.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
        if (config.path("store").asText("rocksdb").equals("memory")) {
            properties.put(
                StreamsConfig.DSL_STORE_SUPPLIERS_CLASS_CONFIG, InMemoryDslStoreSuppliers.class);
        }
        if (config.path("deserErrors").asText("fail").equals("continue")) {
            properties.put(
                StreamsConfig.DESERIALIZATION_EXCEPTION_HANDLER_CLASS_CONFIG,
                LogAndContinueExceptionHandler.class);
        }
        if (config.path("procErrors").asText("fail").equals("continue")) {
            properties.put(
                StreamsConfig.PROCESSING_EXCEPTION_HANDLER_CLASS_CONFIG,
                LogAndContinueProcessingExceptionHandler.class);
        }
        if (config.path("explicitNames").asBoolean(false)) {
            properties.put(StreamsConfig.ENSURE_EXPLICIT_INTERNAL_RESOURCE_NAMING_CONFIG, true);
        }
        return properties;
    }
}
