import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.concurrent.atomic.LongAdder;

/** How far a run is, and what the process has used. */
final class Progress {
    /** Source records that were processed. */
    static final LongAdder IN = new LongAdder();
    /** Records that the last step with state has had. */
    static final LongAdder DONE = new LongAdder();
    static final LongAdder ERRORS = new LongAdder();

    static volatile long firstNs;
    static volatile double firstCpuS;

    private Progress() { }

    static void countIn() {
        if (firstNs == 0) {
            noteFirst();
        }
        IN.increment();
    }

    private static synchronized void noteFirst() {
        if (firstNs == 0) {
            firstCpuS = cpuSeconds();
            firstNs = wallClockNs();
        }
    }

    static long wallClockNs() {
        final Instant now = Instant.now();
        return now.getEpochSecond() * 1_000_000_000L + now.getNano();
    }

    static double cpuSeconds() {
        final var system = (com.sun.management.OperatingSystemMXBean)
                ManagementFactory.getOperatingSystemMXBean();
        return system.getProcessCpuTime() / 1e9;
    }

    /** A field of /proc/self/status, in kilobytes. */
    static long memoryKb(final String field) {
        try {
            for (final String line : Files.readAllLines(Path.of("/proc/self/status"))) {
                if (line.startsWith(field + ":")) {
                    return Long.parseLong(line.replaceAll("[^0-9]", ""));
                }
            }
        } catch (final java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        return -1;
    }
}
