import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.kstream.WindowedSerdes;
import org.apache.kafka.streams.processor.WallclockTimestampExtractor;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.WindowStore;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;

/** Queries of Nexmark: those that nexmark.cc builds for Thalweg. */
final class Nexmark {
    private static final Serde<Long> ID = Serdes.Long();
    private static final Serde<byte[]> BLOB = Serdes.ByteArray();
    private static final Serde<Long> LONG = Serdes.Long();

    private static final int WHO = 8;
    private static final int NUMBER = 16;
    private static final int TIME = 24;

    private static final Duration WINDOW = Duration.ofSeconds(10);
    private static final Duration GRACE = Duration.ofDays(1);
    private static final Duration DAY = Duration.ofDays(1);
    private static final long OPEN_CATEGORY = 10;

    // An auction's day.
    private static final int BIDS = 0;
    private static final int RANK = 8;
    private static final int LEAST = 32;
    private static final int GREATEST = 40;
    private static final int SUM = 48;
    private static final int AVERAGE = 56;
    private static final int DAY_BYTES = 56;

    private Nexmark() { }

    static void build(final String workload, final StreamsBuilder builder) {
        switch (workload) {
            case "nexmark-q1" -> currency(builder);
            case "nexmark-q5" -> hotItems(builder);
            case "nexmark-q8" -> newSellers(builder);
            case "nexmark-q11" -> bidSessions(builder);
            case "nexmark-q12" -> bidsByClock(builder);
            case "nexmark-q17" -> auctionDays(builder);
            case "nexmark-q18" -> lastBids(builder);
            case "nexmark-q20" -> bidsWithAuctions(builder);
            default -> throw new IllegalArgumentException(
                    "PB_WORKLOAD names no workload: " + workload);
        }
    }

    private static KStream<Long, byte[]> events(final StreamsBuilder builder, final int input) {
        return events(builder, input, Consumed.with(ID, BLOB));
    }

    private static KStream<Long, byte[]> events(final StreamsBuilder builder, final int input,
                                                final Consumed<Long, byte[]> consumed) {
        return builder.stream(PeerSettings.INPUTS[input], consumed)
                .peek((key, value) -> Progress.countIn());
    }

    private static long who(final byte[] event) {
        return Blob.readLong(event, WHO);
    }

    private static Serde<Windowed<Long>> windowed(final Duration size) {
        return WindowedSerdes.timeWindowedSerdeFrom(Long.class, size.toMillis());
    }

    private static <V> Materialized<Long, V, WindowStore<Bytes, byte[]>> windows(
            final String store, final Serde<V> values) {
        return Materialized.<Long, V, WindowStore<Bytes, byte[]>>as(store)
                .withKeySerde(ID).withValueSerde(values);
    }

    private static void currency(final StreamsBuilder builder) {
        events(builder, 0)
                .mapValues(bid -> {
                    final byte[] converted = bid.clone();
                    ByteBuffer.wrap(converted)
                            .putLong(NUMBER, (long) (Blob.readLong(bid, NUMBER) * 0.908));
                    return converted;
                })
                .to(PeerSettings.OUTPUT, Produced.with(ID, BLOB));
    }

    /** The most bids of a window, and the auctions that have as many, in ascending order. */
    private static byte[] hottest(final byte[] bidCount, final byte[] soFar) {
        final long bids = Blob.readLong(bidCount, 8);
        final long most = soFar.length == 0 ? 0 : Blob.readLong(soFar, 0);
        if (bids < most) {
            return soFar;
        }
        final byte[] others = bids > most ? new byte[8] : soFar;
        int at = 8;
        while (at < others.length
                && Arrays.compareUnsigned(others, at, at + 8, bidCount, 0, 8) < 0) {
            at += 8;
        }
        final byte[] hottest = new byte[others.length + 8];
        System.arraycopy(others, 0, hottest, 0, at);
        System.arraycopy(bidCount, 0, hottest, at, 8);
        System.arraycopy(others, at, hottest, at + 8, others.length - at);
        ByteBuffer.wrap(hottest).putLong(0, bids);
        return hottest;
    }

    private static void hotItems(final StreamsBuilder builder) {
        events(builder, 0)
                .groupByKey(Grouped.with(ID, BLOB))
                .windowedBy(TimeWindows.ofSizeWithNoGrace(WINDOW)
                        .advanceBy(Duration.ofSeconds(2)))
                .count(windows("bids", LONG).withCachingDisabled())
                .suppress(Suppressed.untilWindowCloses(Suppressed.BufferConfig.unbounded())
                        .withName("closed"))
                .toStream()
                .map((auction, bids) -> KeyValue.pair(auction.window().start(),
                        ByteBuffer.allocate(16).putLong(auction.key()).putLong(bids).array()))
                .groupByKey(Grouped.with("window", ID, BLOB))
                .aggregate(() -> new byte[0], (window, bidCount, soFar) -> {
                    Progress.DONE.increment();
                    return hottest(bidCount, soFar);
                }, Materialized.<Long, byte[], KeyValueStore<Bytes, byte[]>>as("hottest")
                        .withKeySerde(ID).withValueSerde(BLOB))
                .toStream()
                .to(PeerSettings.OUTPUT, Produced.with(ID, BLOB));
    }

    private static void newSellers(final StreamsBuilder builder) {
        final TimeWindows windows = TimeWindows.ofSizeAndGrace(WINDOW, GRACE);
        final KTable<Windowed<Long>, Long> auctions = events(builder, 1)
                .selectKey((id, auction) -> who(auction))
                .groupByKey(Grouped.with("seller", ID, BLOB))
                .windowedBy(windows)
                .aggregate(() -> 0L, (seller, auction, opened) -> {
                    Progress.DONE.increment();
                    return opened + 1;
                }, windows("auctions", LONG));
        events(builder, 0)
                .groupByKey(Grouped.with(ID, BLOB))
                .windowedBy(windows)
                .aggregate(() -> new byte[0], (id, person, before) -> {
                    Progress.DONE.increment();
                    return person;
                }, windows("persons", BLOB))
                .join(auctions, (person, opened) -> person)
                .toStream()
                .to(PeerSettings.OUTPUT, Produced.with(windowed(WINDOW), BLOB));
    }

    private static void bidSessions(final StreamsBuilder builder) {
        events(builder, 0)
                .selectKey((auction, bid) -> who(bid))
                .groupByKey(Grouped.with("bidder", ID, BLOB))
                .windowedBy(SessionWindows.ofInactivityGapAndGrace(WINDOW, GRACE))
                .aggregate(() -> 0L, (bidder, bid, bids) -> {
                    Progress.DONE.increment();
                    return bids + 1;
                }, (bidder, soFar, next) -> soFar + next,
                        Materialized.<Long, Long, SessionStore<Bytes, byte[]>>as("sessions")
                                .withKeySerde(ID).withValueSerde(LONG))
                .toStream()
                .to(PeerSettings.OUTPUT, Produced.with(
                        WindowedSerdes.sessionWindowedSerdeFrom(Long.class), LONG));
    }

    private static void bidsByClock(final StreamsBuilder builder) {
        events(builder, 0, Consumed.with(ID, BLOB)
                .withTimestampExtractor(new WallclockTimestampExtractor()))
                .selectKey((auction, bid) -> who(bid))
                .groupByKey(Grouped.with("bidder", ID, BLOB))
                .windowedBy(TimeWindows.ofSizeAndGrace(WINDOW, GRACE))
                .aggregate(() -> 0L, (bidder, bid, bids) -> {
                    Progress.DONE.increment();
                    return bids + 1;
                }, windows("bids", LONG))
                .toStream()
                .to(PeerSettings.OUTPUT, Produced.with(windowed(WINDOW), LONG));
    }

    private static byte[] withBid(final byte[] bid, final byte[] before) {
        final long price = Blob.readLong(bid, NUMBER);
        final boolean first = before.length == 0;
        final byte[] day = first ? new byte[DAY_BYTES] : before.clone();
        final ByteBuffer fields = ByteBuffer.wrap(day);
        final int rank = RANK + (price < 10_000 ? 0 : price < 1_000_000 ? 8 : 16);
        fields.putLong(BIDS, fields.getLong(BIDS) + 1);
        fields.putLong(rank, fields.getLong(rank) + 1);
        fields.putLong(LEAST, first ? price : Math.min(price, fields.getLong(LEAST)));
        fields.putLong(GREATEST, first ? price : Math.max(price, fields.getLong(GREATEST)));
        fields.putLong(SUM, fields.getLong(SUM) + price);
        return day;
    }

    private static void auctionDays(final StreamsBuilder builder) {
        events(builder, 0)
                .groupByKey(Grouped.with(ID, BLOB))
                .windowedBy(TimeWindows.ofSizeAndGrace(DAY, GRACE))
                .aggregate(() -> new byte[0], (auction, bid, day) -> withBid(bid, day),
                        windows("days", BLOB))
                .toStream()
                .mapValues(day -> ByteBuffer.allocate(AVERAGE + 8).put(day)
                        .putLong(Blob.readLong(day, SUM) / Blob.readLong(day, BIDS)).array())
                .to(PeerSettings.OUTPUT, Produced.with(windowed(DAY), BLOB));
    }

    private static void lastBids(final StreamsBuilder builder) {
        events(builder, 0)
                .selectKey((auction, bid) -> Arrays.copyOf(bid, 16))
                .groupByKey(Grouped.with("bid", BLOB, BLOB))
                .aggregate(() -> new byte[0], (key, bid, last) -> {
                    Progress.DONE.increment();
                    return last.length == 0
                            || Blob.readLong(bid, TIME) > Blob.readLong(last, TIME) ? bid : last;
                }, Materialized.<byte[], byte[], KeyValueStore<Bytes, byte[]>>as("last")
                        .withKeySerde(BLOB).withValueSerde(BLOB))
                .toStream()
                .to(PeerSettings.OUTPUT, Produced.with(BLOB, BLOB));
    }

    private static void bidsWithAuctions(final StreamsBuilder builder) {
        final KStream<Long, byte[]> auctions = events(builder, 1)
                .filter((id, auction) -> Blob.readLong(auction, NUMBER) == OPEN_CATEGORY);
        events(builder, 0)
                .join(auctions, (bid, auction) -> ByteBuffer.allocate(bid.length + auction.length)
                                .put(bid).put(auction).array(),
                        JoinWindows.ofTimeDifferenceWithNoGrace(DAY),
                        StreamJoined.with(ID, BLOB, BLOB).withStoreName("open"))
                .to(PeerSettings.OUTPUT, Produced.with(ID, BLOB));
    }
}
