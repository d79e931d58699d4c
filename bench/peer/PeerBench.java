import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.processor.StateRestoreListener;
import org.apache.kafka.streams.state.QueryableStoreTypes;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * One run of one workload with Kafka Streams, as peer_candidate does it with Thalweg: the same
 * environment variables (bench/README.md), the same line at the end.
 */
public final class PeerBench {
    private static final double WARM_PART = 0.2;
    private static final String USAGE = """
            Usage: PB_WORKLOAD=count PB_IN=pb-kv PB_OUT=pb-out PB_N=1000000 ... java PeerBench

            One run of one workload with Kafka Streams, for comparisons. It takes no arguments:
            variables of the environment say what to do, bench/README.md lists them all. The last
            line of the standard output is the result, a JSON object. The exit code is 1 when the
            run did not reach its end, 2 when it could not begin.
            """;

    private final KafkaStreams streams =
            new KafkaStreams(PeerTopologies.build(), PeerSettings.config());
    private final AtomicLong runningNs = new AtomicLong();
    private final RestoreWatch restores = new RestoreWatch();
    private final CountDownLatch printed = new CountDownLatch(1);
    private final StringBuilder extra = new StringBuilder();
    private final long limit = System.nanoTime() + PeerSettings.LIMIT_S * 1_000_000_000L;
    private volatile boolean askedToStop;
    private Mark warm;
    private Mark done;

    /** How far the run was at some time, and what it had used. */
    private record Mark(long ns, double cpuS, long in, long done) {
        static Mark now() {
            return new Mark(Progress.wallClockNs(), Progress.cpuSeconds(), Progress.IN.sum(),
                    Progress.DONE.sum());
        }

        long records() {
            return PeerSettings.endsWithTheLastStep() ? Math.min(in, done) : in;
        }

        double secondsSince(final Mark before) {
            return (ns - before.ns) / 1e9;
        }
    }

    public static void main(final String[] arguments) {
        if (arguments.length > 0) {
            final boolean asks = arguments[0].equals("--help") || arguments[0].equals("-h");
            (asks ? System.out : System.err).print(USAGE);
            System.exit(asks ? 0 : 2);
        }
        try {
            PeerSettings.check();
        } catch (final IllegalArgumentException e) {
            System.err.println("PeerBench: " + e.getMessage());
            System.exit(2);
        } catch (final ExceptionInInitializerError e) {
            System.err.println("PeerBench: " + e.getCause().getMessage());
            System.exit(2);
        }
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
        if (done == null) {
            done = Mark.now();
        }
        if (ok) {
            measureIdle();
        }
        final Mark closeBegan = Mark.now();
        ok &= streams.close(Duration.ofSeconds(60)) && Progress.ERRORS.sum() == 0;
        print(ok, closeBegan, Mark.now());
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

    private boolean until(final Condition condition) throws InterruptedException {
        while (!condition.reached()) {
            if (Progress.ERRORS.sum() > 0) {
                return false;
            }
            final boolean tooLate = System.nanoTime() > limit;
            if (tooLate || askedToStop) {
                System.err.printf("PeerBench: not done %s: %d of %d records, %d of %d at the last"
                                + " step%n",
                        tooLate ? "in " + PeerSettings.LIMIT_S + " s" : "when it was asked to stop",
                        Progress.IN.sum(), PeerSettings.RECORDS, Progress.DONE.sum(),
                        PeerSettings.RECORDS_DONE);
                return false;
            }
            Thread.sleep(1);
        }
        return true;
    }

    /** Until the workload is through, the time is up or something failed; whether it is through. */
    private boolean await() throws InterruptedException {
        switch (PeerSettings.WORKLOAD) {
            case "startup", "restore" -> {
                // The state is RUNNING a moment before the listener has noted when it was.
                final boolean running = until(() -> runningNs.get() != 0);
                if (running && PeerSettings.WORKLOAD.equals("restore")) {
                    extra.append(restores.result(restoredRows()));
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
                return PeerSettings.WORKLOAD.equals("iq") ? drainAndRead()
                        : until(this::lookForTheEnd);
            }
        }
    }

    /** Whether every record is done. Notes when a fifth of them were. */
    private boolean lookForTheEnd() {
        if (warm == null && isDone(WARM_PART)) {
            warm = Mark.now();
        }
        return isDone(1);
    }

    private static boolean isDone(final double part) {
        return Progress.IN.sum() >= part * PeerSettings.RECORDS
                && Progress.DONE.sum() >= part * PeerSettings.RECORDS_DONE;
    }

    /** Reads from outside while records are processed, and no longer: they are reads under load. */
    private boolean drainAndRead() throws InterruptedException {
        final double seconds = 5;
        final double enoughSeconds = 0.1;
        final long some = Math.min(PeerSettings.RECORDS / 5, 500_000);
        if (!until(() -> lookForTheEnd() || Progress.IN.sum() >= some)) {
            return false;
        }
        final AtomicBoolean allDone = new AtomicBoolean();
        final CompletableFuture<String> reads = new CompletableFuture<>();
        final AtomicReference<StoreReads.Seen> result = new AtomicReference<>();
        new Thread(() -> {
            try {
                final long before = Progress.IN.sum();
                final StoreReads.Seen seen = StoreReads.measure(streams, 1, seconds, "loaded1",
                        allDone::get);
                result.set(seen);
                reads.complete(seen.members() + String.format(Locale.ROOT,
                        ",\"loaded_hit_rate\":%.4f,\"loaded_s\":%.3f,\"loaded_rps\":%.1f",
                        seen.hitRate(), seen.seconds(),
                        (Progress.IN.sum() - before) / seen.seconds()));
            } catch (final Exception e) {
                reads.completeExceptionally(e);
            }
        }).start();
        final boolean ok = until(this::lookForTheEnd);
        done = Mark.now();
        final boolean allSeconds = reads.isDone();
        allDone.set(true);
        extra.append(reads.join()).append(",\"loaded_done\":").append(!allSeconds);
        if (ok && result.get().seconds() < enoughSeconds) {
            System.err.println("PeerBench: PB_N is too small to read while it is processed");
            return false;
        }
        return ok;
    }

    /**
     * As the store tells it, without reading it through, which would cost more than the restore:
     * some may be counted twice.
     */
    private long restoredRows() {
        return streams.store(StoreQueryParameters.fromNameAndType("store",
                QueryableStoreTypes.timestampedKeyValueStore())).approximateNumEntries();
    }

    private void measureIdle() throws InterruptedException {
        if (PeerSettings.WORKLOAD.equals("iq")) {
            Thread.sleep(500);
            StoreReads.measure(streams, 1, 2, "warm");
            extra.append(StoreReads.measure(streams, 1, 4, "idle1").members());
            extra.append(StoreReads.measure(streams, 2, 4, "idle2").members());
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

    private void print(final boolean ok, final Mark closeBegan, final Mark closed) {
        final long records = done.records();
        final double wall = Progress.firstNs == 0 ? 0 : (done.ns() - Progress.firstNs) / 1e9;
        System.out.println(String.format(Locale.ROOT,
                "{\"pb\":1,\"impl\":\"kafka-streams\",\"workload\":\"%s\",\"guarantee\":\"%s\""
                        + ",\"profile\":\"%s\",\"ok\":%b,\"n\":%d,\"n_src\":%d,\"n_done\":%d"
                        + ",\"n_closed\":%d,\"t_running_ms\":%.1f,\"t_first_ms\":%.1f"
                        + ",\"t_done_ms\":%.1f,\"close_ms\":%.1f,\"wall_s\":%.4f,\"rps\":%.1f"
                        + ",\"cpu_first_s\":%.4f,\"cpu_done_s\":%.4f,\"cpu_total_s\":%.4f"
                        + ",\"rss_peak_kb\":%d,\"errors\":%d%s%s}",
                PeerSettings.WORKLOAD, PeerSettings.GUARANTEE, PeerSettings.PROFILE, ok, records,
                done.in(), done.done(), closed.in(), sinceStartMs(runningNs.get()),
                sinceStartMs(Progress.firstNs), sinceStartMs(done.ns()),
                closed.secondsSince(closeBegan) * 1e3, wall, wall > 0 ? records / wall : 0.0,
                Progress.firstCpuS, done.cpuS(), closed.cpuS(), Progress.memoryKb("VmHWM"),
                Progress.ERRORS.sum(), steady(closed.cpuS() - closeBegan.cpuS()), extra));
        System.out.flush();
    }

    /**
     * What a program does that has run for a while: without its start and the first fifth, in
     * which the JIT compiles. Closing belongs to it, since caches are written out then.
     */
    private String steady(final double closingCpuS) {
        if (warm == null || done.records() <= warm.records()) {
            return "";
        }
        final double records = done.records() - warm.records();
        return String.format(Locale.ROOT,
                ",\"steady_records_per_s\":%.1f,\"steady_cpu_us_per_record\":%.4f",
                records / done.secondsSince(warm),
                (done.cpuS() - warm.cpuS() + closingCpuS) / records * 1e6);
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
                                    final long to, final long count) {
            records.addAndGet(count);
        }

        @Override
        public void onRestoreEnd(final TopicPartition partition, final String store,
                                 final long count) {
            endedNs.set(Progress.wallClockNs());
        }

        String result(final long rows) {
            final double seconds = Math.max(1e-3, (endedNs.get() - beganNs.get()) / 1e9);
            return String.format(Locale.ROOT,
                    ",\"restored\":%d,\"restored_rows\":%d,\"restore_s\":%.4f"
                            + ",\"restore_rps\":%.1f,\"restore_mbs\":%.2f",
                    records.get(), rows, seconds, records.get() / seconds,
                    records.get() * BYTES_PER_RECORD / seconds / 1e6);
        }
    }
}
