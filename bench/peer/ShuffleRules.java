import java.util.Arrays;
import java.util.function.IntConsumer;

/** ShuffleBench's rules, each of which selects a range of hashes. */
final class ShuffleRules {
    static final int RULES = 1_000_000;
    static final double SELECTIVITY = 0.2;

    private static final long MASK = Long.MAX_VALUE;
    private static final int SLOTS = 65_536;
    private static final int SLOT_SHIFT = 47;

    private final long width;
    private final long[] begins;
    private final int[][] slots = new int[SLOTS][];

    ShuffleRules(final int rules, final double selectivity) {
        begins = new long[rules];
        width = (long) Math.scalb(selectivity / rules, 63);
        final int[] used = new int[SLOTS];
        for (int rule = 0; rule < rules; rule++) {
            begins[rule] = mix(0x2e3fac4f58fc98b4L + rule) & MASK;
            final int first = (int) (begins[rule] >>> SLOT_SHIFT);
            final int last = (int) (((begins[rule] + width) & MASK) >>> SLOT_SHIFT);
            add(used, first, rule);
            if (last != first) {
                add(used, last, rule);
            }
        }
        for (int slot = 0; slot < SLOTS; slot++) {
            slots[slot] = slots[slot] == null ? new int[0] : Arrays.copyOf(slots[slot], used[slot]);
        }
    }

    private void add(final int[] used, final int slot, final int rule) {
        if (slots[slot] == null) {
            slots[slot] = new int[24];
        }
        if (used[slot] == slots[slot].length) {
            slots[slot] = Arrays.copyOf(slots[slot], used[slot] * 2);
        }
        slots[slot][used[slot]++] = rule;
    }

    void match(final byte[] record, final IntConsumer matched) {
        final long first = Blob.readLong(record, 0);
        final long second = Blob.readLong(record, 8);
        final long hash = mix(first ^ Long.rotateLeft(second, 32)) & MASK;
        for (final int rule : slots[(int) (hash >>> SLOT_SHIFT)]) {
            if (((hash - begins[rule]) & MASK) < width) {
                matched.accept(rule);
            }
        }
    }

    /** splitmix64. */
    static long mix(final long value) {
        long mixed = value + 0x9e3779b97f4a7c15L;
        mixed = (mixed ^ (mixed >>> 30)) * 0xbf58476d1ce4e5b9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94d049bb133111ebL;
        return mixed ^ (mixed >>> 31);
    }
}
