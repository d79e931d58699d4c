import java.nio.ByteBuffer;

/** The records of the workloads are bytes with big-endian numbers at fixed places. */
final class Blob {
    private Blob() { }

    static long readLong(final byte[] bytes, final int at) {
        return ByteBuffer.wrap(bytes).getLong(at);
    }

    static int readInt(final byte[] bytes, final int at) {
        return ByteBuffer.wrap(bytes).getInt(at);
    }

    /** Two numbers: what the joins put out. */
    static byte[] pairOf(final byte[] left, final byte[] right) {
        return ByteBuffer.allocate(16).putLong(readLong(left, 0)).putLong(readLong(right, 0))
                .array();
    }
}
