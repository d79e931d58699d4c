import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.processor.StateRestoreListener;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * One run of one workload with Kafka Streams, as peer_candidate does it with Thalweg: the same
 * environment variables (bench/README.md), the same line at the end.
 */
public final class PeerBench {
    private final KafkaStreams streams =
            new KafkaStreams(PeerTopologies.build(), PeerSettings.config());
    private final AtomicLong runningNs = new AtomicLong();
    private final RestoreWatch restores = new RestoreWatch();
    private final CountDownLatch printed = new CountDownLatch(1);
    private final StringBuilder extra = new StringBuilder();
    private volatile boolean askedToStop;

    public static void main(final String[] arguments) {
        try {
            System.exit(new PeerBench().execute() ? 0 : 1);
        } catch (final Exception e) {
            // Not System.exit(), which would wait for a result that never comes.
            e.printStackTrace();
            Runtime.getRuntime().halt(2);
        }
    }

    private boolean execute() throws InterruptedException {
        streams.setStateListener((to, from) -> {
            if (to == KafkaStreams.State.RUNNING) {
                noteRunning();
            }
        });
        streams.setUncaughtExceptionHandler(error -> {
            Progress.ERRORS.increment();
            error.printStackTrace();
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        streams.setGlobalStateRestoreListener(restores);
        Runtime.getRuntime().addShutdownHook(new Thread(this::stopAndWait));
        streams.start();
        boolean ok = await();
        final long doneNs = Progress.wallClockNs();
        final double doneCpu = Progress.cpuSeconds();
        final long in = Progress.IN.sum();
        final long done = Progress.DONE.sum();
        measureIdle();
        final long closeNs = Progress.wallClockNs();
        ok &= streams.close(Duration.ofSeconds(60)) && Progress.ERRORS.sum() == 0;
        print(ok, doneNs, doneCpu, in, done, (Progress.wallClockNs() - closeNs) / 1e6);
        printed.countDown();
        return ok;
    }

    /** SIGTERM ends the run, and the process only when its result is printed. */
    private void stopAndWait() {
        askedToStop = true;
        try {
            printed.await(40, TimeUnit.SECONDS);
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void noteRunning() {
        runningNs.compareAndSet(0, Progress.wallClockNs());
        if (PeerSettings.READY_FILE.isEmpty()) {
            return;
        }
        try {
            Files.writeString(Path.of(PeerSettings.READY_FILE),
                    "RUNNING " + Progress.wallClockNs() + "\n",
                    StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (final IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private interface Condition {
        boolean reached();
    }

    private static boolean until(final Condition condition) throws InterruptedException {
        final long limit = System.nanoTime() + PeerSettings.LIMIT_S * 1_000_000_000L;
        while (!condition.reached()) {
            if (Progress.ERRORS.sum() > 0 || System.nanoTime() > limit) {
                return false;
            }
            Thread.sleep(1);
        }
        return true;
    }

    /** Until the workload is through, the time is up or something failed. */
    private boolean await() throws InterruptedException {
        switch (PeerSettings.WORKLOAD) {
            case "startup", "restore" -> {
                final boolean running =
                        until(() -> streams.state() == KafkaStreams.State.RUNNING);
                if (PeerSettings.WORKLOAD.equals("restore")) {
                    extra.append(restores.result());
                }
                return running;
            }
            default -> {
                if (PeerSettings.SERVES) {
                    while (!askedToStop && Progress.ERRORS.sum() == 0) {
                        Thread.sleep(20);
                    }
                    return true;
                }
                if (PeerSettings.WORKLOAD.equals("iq")) {
                    measureLoaded();
                }
                return until(() -> Progress.IN.sum() >= PeerSettings.RECORDS
                        && Progress.DONE.sum() >= PeerSettings.RECORDS_DONE);
            }
        }
    }

    private void measureLoaded() throws InterruptedException {
        final double seconds = 5;
        final long enough = Math.min(PeerSettings.RECORDS / 5, 500_000);
        if (!until(() -> Progress.IN.sum() >= enough)) {
            return;
        }
        final long before = Progress.IN.sum();
        extra.append(StoreReads.measure(streams, 1, seconds, "loaded1"));
        final long after = Progress.IN.sum();
        extra.append(String.format(Locale.ROOT, ",\"loaded_rps\":%.1f,\"loaded_done\":%b",
                (after - before) / seconds, after >= PeerSettings.RECORDS));
    }

    private void measureIdle() throws InterruptedException {
        if (PeerSettings.WORKLOAD.equals("iq")) {
            Thread.sleep(500);
            StoreReads.measure(streams, 1, 2, "warm");
            extra.append(StoreReads.measure(streams, 1, 4, "idle1"));
            extra.append(StoreReads.measure(streams, 2, 4, "idle2"));
        } else if (PeerSettings.WORKLOAD.equals("startup")) {
            extra.append(",\"rss_running_kb\":").append(Progress.memoryKb("VmRSS"));
            Thread.sleep(PeerSettings.IDLE_S * 1000);
            final double before = Progress.cpuSeconds();
            Thread.sleep(2000);
            extra.append(String.format(Locale.ROOT, ",\"rss_idle_kb\":%d,\"idle_cpu_pct\":%.2f",
                    Progress.memoryKb("VmRSS"), (Progress.cpuSeconds() - before) / 2 * 100));
        }
    }

    private static double sinceStartMs(final long ns) {
        return ns == 0 ? -1 : (ns - PeerSettings.STARTED_AT_NS) / 1e6;
    }

    private void print(final boolean ok, final long doneNs, final double doneCpu, final long in,
                       final long done, final double closeMs) {
        // Where there are several hops, the source runs ahead of the last one.
        final boolean hops = PeerSettings.RECORDS_DONE == PeerSettings.RECORDS;
        final long records = hops ? Math.min(in, done) : in;
        final double wall = (doneNs - Progress.firstNs) / 1e9;
        System.out.println(String.format(Locale.ROOT,
                "{\"pb\":1,\"impl\":\"kafka-streams\",\"workload\":\"%s\",\"guarantee\":\"%s\""
                        + ",\"profile\":\"%s\",\"ok\":%b,\"n\":%d,\"n_src\":%d,\"n_done\":%d"
                        + ",\"n_closed\":%d,\"t_running_ms\":%.1f,\"t_first_ms\":%.1f"
                        + ",\"t_done_ms\":%.1f,\"close_ms\":%.1f,\"wall_s\":%.4f,\"rps\":%.1f"
                        + ",\"cpu_first_s\":%.4f,\"cpu_done_s\":%.4f,\"cpu_total_s\":%.4f"
                        + ",\"rss_peak_kb\":%d,\"errors\":%d%s}",
                PeerSettings.WORKLOAD, PeerSettings.GUARANTEE, PeerSettings.PROFILE, ok, records, in, done,
                Progress.IN.sum(), sinceStartMs(runningNs.get()), sinceStartMs(Progress.firstNs),
                sinceStartMs(doneNs), closeMs, wall, records / wall, Progress.firstCpuS, doneCpu,
                Progress.cpuSeconds(), Progress.memoryKb("VmHWM"), Progress.ERRORS.sum(), extra));
        System.out.flush();
    }

    /** Adds up what restores do. */
    private static final class RestoreWatch implements StateRestoreListener {
        private static final double BYTES_PER_RECORD = 108;

        private final AtomicLong beganNs = new AtomicLong();
        private final AtomicLong endedNs = new AtomicLong();
        private final AtomicLong records = new AtomicLong();

        @Override
        public void onRestoreStart(final TopicPartition partition, final String store,
                                   final long from, final long to) {
            beganNs.compareAndSet(0, Progress.wallClockNs());
        }

        @Override
        public void onBatchRestored(final TopicPartition partition, final String store,
                                    final long to, final long count) { }

        @Override
        public void onRestoreEnd(final TopicPartition partition, final String store,
                                 final long count) {
            records.addAndGet(count);
            endedNs.set(Progress.wallClockNs());
        }

        String result() {
            final double seconds = (endedNs.get() - beganNs.get()) / 1e9;
            return String.format(Locale.ROOT,
                    ",\"restored\":%d,\"restore_s\":%.4f,\"restore_rps\":%.1f"
                            + ",\"restore_mbs\":%.2f",
                    records.get(), seconds, records.get() / seconds,
                    records.get() * BYTES_PER_RECORD / seconds / 1e6);
        }
    }
}
