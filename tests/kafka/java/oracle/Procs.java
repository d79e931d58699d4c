package oracle;

import com.fasterxml.jackson.databind.JsonNode;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.ValueTransformerWithKey;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.kstream.internals.SessionWindow;
import org.apache.kafka.streams.processor.Cancellable;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.ProcessingContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.TimestampedKeyValueStore;
import org.apache.kafka.streams.state.TimestampedWindowStore;
import org.apache.kafka.streams.state.ValueAndTimestamp;
import org.apache.kafka.streams.state.VersionedKeyValueStore;
import org.apache.kafka.streams.state.VersionedRecord;
import org.apache.kafka.streams.state.WindowStore;
import org.apache.kafka.streams.state.WindowStoreIterator;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The fixed processor library of the spec language. */
@SuppressWarnings({"unchecked", "rawtypes"})
final class Procs {
    private Procs() { }

    /** What a library processor may do with its output; ts null = the record's own. */
    interface Out {
        void same(Long value, Long ts);                       // forward with the input key
        void keyed(Object key, Long value, long ts);          // forward a new record (process only)
        void child(Long value, String child);                 // forward to one child by name (process only)
        void header(String name, String text);                // add a header to the record before forwarding
    }

    static final class Body {
        final JsonNode p;
        final String kind;
        final ProcessingContext ctx;
        final StateStore store;
        Cancellable cancel;
        int fired;

        Body(final JsonNode stmt, final ProcessingContext ctx, final Out out) {
            this.p = stmt.get("proc");
            this.kind = p.get("p").asText();
            this.ctx = ctx;
            final String storeName;
            if (p.hasNonNull("store")) {
                storeName = p.get("store").asText();
            } else if (stmt.has("stores") && stmt.get("stores").size() > 0) {
                storeName = stmt.get("stores").get(0).asText();
            } else {
                storeName = null;
            }
            this.store = storeName == null ? null : ctx.getStateStore(storeName);
            if (kind.equals("punct") || kind.equals("tick")) {
                final PunctuationType t = "wall".equals(p.path("type").asText("stream"))
                    ? PunctuationType.WALL_CLOCK_TIME : PunctuationType.STREAM_TIME;
                cancel = ctx.schedule(Duration.ofMillis(p.get("every").asLong()), t, ts -> punctuate(ts, out));
            }
        }

        private long param(final String n, final long d) {
            return p.has(n) ? p.get(n).asLong() : d;
        }

        private void punctuate(final long ts, final Out out) {
            fired++;
            if (kind.equals("tick")) {
                out.keyed("tick", (long) fired, ts);
            } else {
                final KeyValueStore<String, Long> kv = (KeyValueStore<String, Long>) store;
                final List<KeyValue<String, Long>> all = new ArrayList<>();
                try (KeyValueIterator<String, Long> it = kv.all()) {
                    it.forEachRemaining(all::add);
                }
                for (final KeyValue<String, Long> e : all) {
                    out.keyed(e.key, e.value, ts);
                    if (p.path("clear").asBoolean(false)) {
                        kv.delete(e.key);
                    }
                }
            }
            if (p.has("max") && fired >= p.get("max").asLong()) {
                cancel.cancel();
            }
        }

        void process(final Object key, final Long v, final long ts, final Out out) {
            final String k = Fn.kt(key);
            switch (kind) {
                case "pass":
                case "tick":
                    out.same(v, null);
                    return;
                case "tag":
                    out.header("p", p.get("v").asText());
                    out.same(v, null);
                    return;
                case "shiftTs":
                    out.same(v, ts + param("d", 0));
                    return;
                case "meta": {
                    final Optional<RecordMetadata> m = ctx.recordMetadata();
                    out.header("t", m.isPresent() && m.get().topic() != null ? m.get().topic() : "-");
                    out.same(m.isPresent() ? m.get().offset() : -1L, null);
                    return;
                }
                case "times":
                    out.same(Fn.mix(ctx.currentStreamTimeMs(), ctx.currentSystemTimeMs()), null);
                    return;
                case "fan": {
                    final long n = param("n", 2);
                    for (long i = 0; i < n; i++) {
                        out.same(v == null ? null : Long.valueOf(v + i), null);
                    }
                    return;
                }
                case "route": {
                    final JsonNode ch = p.get("children");
                    out.child(v, ch.get((int) Math.floorMod(Fn.or(v, 0), (long) ch.size())).asText());
                    return;
                }
                default:
            }
            if (k == null) {
                out.same(v, null);
                return;
            }
            switch (kind) {
                case "dedup": {
                    final KeyValueStore<String, Long> kv = (KeyValueStore<String, Long>) store;
                    if (kv.get(k) == null) {
                        kv.put(k, Fn.or(v, 0));
                        out.same(v, null);
                    }
                    return;
                }
                case "sum": {
                    final KeyValueStore<String, Long> kv = (KeyValueStore<String, Long>) store;
                    if (v == null) {
                        kv.delete(k);
                        out.same(null, null);
                    } else {
                        final long s = Fn.or(kv.get(k), 0) + v;
                        kv.put(k, s);
                        out.same(s, null);
                    }
                    return;
                }
                case "sumTs": {
                    final TimestampedKeyValueStore<String, Long> kv = (TimestampedKeyValueStore<String, Long>) store;
                    if (v == null) {
                        kv.delete(k);
                        out.same(null, null);
                    } else {
                        final ValueAndTimestamp<Long> old = kv.get(k);
                        final long s = (old == null ? 0 : old.value()) + v;
                        final long t = old == null ? ts : Math.max(ts, old.timestamp());
                        kv.put(k, ValueAndTimestamp.make(s, t));
                        out.same(s, t);
                    }
                    return;
                }
                case "winDedup": {
                    final WindowStore<String, Long> w = (WindowStore<String, Long>) store;
                    final long gap = param("gap", 10);
                    final boolean seen;
                    try (WindowStoreIterator<Long> it = w.fetch(k, Math.max(0, ts - gap), ts)) {
                        seen = it.hasNext();
                    }
                    if (!seen) {
                        w.put(k, Fn.or(v, 0), ts);
                        out.same(v, null);
                    }
                    return;
                }
                case "punct": {
                    final KeyValueStore<String, Long> kv = (KeyValueStore<String, Long>) store;
                    if (v == null) {
                        kv.delete(k);
                    } else {
                        kv.put(k, v);
                    }
                    return;
                }
                case "ver": {
                    final VersionedKeyValueStore<String, Long> vs = (VersionedKeyValueStore<String, Long>) store;
                    final VersionedRecord<Long> prev = vs.get(k, ts);
                    final long r = vs.put(k, v, ts);
                    out.same(Fn.mix(prev == null ? -1 : Fn.mix(prev.value(), prev.timestamp()), r), null);
                    return;
                }
                case "tableGet": {
                    final long got;
                    if (store instanceof VersionedKeyValueStore) {
                        final VersionedRecord<Long> r = ((VersionedKeyValueStore<String, Long>) store).get(k);
                        got = r == null ? -1 : r.value();
                    } else if (store instanceof TimestampedKeyValueStore) {
                        final ValueAndTimestamp<Long> r = ((TimestampedKeyValueStore<String, Long>) store).get(k);
                        got = r == null ? -1 : Fn.mix(r.value(), r.timestamp());
                    } else {
                        got = Fn.or(((KeyValueStore<String, Long>) store).get(k), -1);
                    }
                    out.same(Fn.mix(Fn.or(v, -1), got), null);
                    return;
                }
                case "kvProbe":
                    out.same(kvProbe(k, Fn.or(v, 0), ts), null);
                    return;
                case "winProbe":
                    out.same(winProbe(k, Fn.or(v, 0), ts), null);
                    return;
                case "sesProbe":
                    out.same(sesProbe(k, Fn.or(v, 0), ts), null);
                    return;
                default:
                    throw new Fn.SpecError("unknown processor " + kind);
            }
        }

        private static long val(final Object v) {
            if (v == null) {
                return -1;
            }
            if (v instanceof ValueAndTimestamp) {
                final ValueAndTimestamp<Long> x = (ValueAndTimestamp<Long>) v;
                return Fn.mix(x.value(), x.timestamp());
            }
            return (Long) v;
        }

        private static long digestKv(final KeyValueIterator<String, ?> it) {
            long h = 17;
            try (it) {
                while (it.hasNext()) {
                    final KeyValue<String, ?> e = it.next();
                    h = Fn.mix(Fn.mix(h, Fn.kh(e.key)), val(e.value));
                }
            }
            return h;
        }

        private long kvProbe(final String k, final long u, final long ts) {
            final KeyValueStore<String, Object> kv = (KeyValueStore<String, Object>) store;
            final boolean tsd = store instanceof TimestampedKeyValueStore;
            final Object x = tsd ? ValueAndTimestamp.make(u, ts) : (Object) u;
            int op = (int) Math.floorMod(u, 10L);
            if (op == 7 && k.isEmpty()) {
                op = 8; // an in-memory store throws on the empty prefix
            }
            final long r;
            switch (op) {
                case 0:
                    kv.put(k, x);
                    r = 0;
                    break;
                case 1:
                    r = val(kv.putIfAbsent(k, x));
                    break;
                case 2:
                    r = val(kv.delete(k));
                    break;
                case 3:
                    r = digestKv(kv.range(k, null));
                    break;
                case 4:
                    r = digestKv(kv.reverseRange(null, k));
                    break;
                case 5:
                    r = digestKv(kv.all());
                    break;
                case 6: {
                    final List<KeyValue<String, Object>> l = new ArrayList<>();
                    l.add(KeyValue.pair(k, x));
                    l.add(KeyValue.pair(k + "x", tsd ? ValueAndTimestamp.make(u + 1, ts) : (Object) Long.valueOf(u + 1)));
                    kv.putAll(l);
                    r = 0;
                    break;
                }
                case 7:
                    r = digestKv(kv.prefixScan(k, new StringSerializer()));
                    break;
                case 8:
                    r = val(kv.get(k));
                    break;
                default:
                    r = digestKv(kv.reverseAll());
            }
            return Fn.mix(op, r);
        }

        private static long digestWin(final WindowStoreIterator<?> it) {
            long h = 17;
            try (it) {
                while (it.hasNext()) {
                    final KeyValue<Long, ?> e = it.next();
                    h = Fn.mix(Fn.mix(h, e.key), val(e.value));
                }
            }
            return h;
        }

        private long digestWk(final KeyValueIterator<Windowed<String>, ?> it) {
            final boolean ordered = p.path("ordered").asBoolean(false);
            long h = 17;
            try (it) {
                while (it.hasNext()) {
                    final KeyValue<Windowed<String>, ?> e = it.next();
                    final long x = Fn.mix(Fn.kh(e.key), val(e.value));
                    h = ordered ? Fn.mix(h, x) : h + x;
                }
            }
            return h;
        }

        private long winProbe(final String k, final long u, final long ts) {
            final WindowStore<String, Object> w = (WindowStore<String, Object>) store;
            final long span = param("span", 20);
            final long from = Math.max(0, ts - span);
            final long to = ts + span;
            final Object x = store instanceof TimestampedWindowStore ? ValueAndTimestamp.make(u, ts) : (Object) u;
            final int op = (int) Math.floorMod(u, 12L);
            final long r;
            switch (op) {
                case 0:
                case 1:
                case 2:
                    w.put(k, x, ts);
                    r = 0;
                    break;
                case 3:
                    w.put(k, null, ts);
                    r = 0;
                    break;
                case 4:
                    r = digestWin((WindowStoreIterator<?>) w.fetch(k, from, to));
                    break;
                case 5:
                    r = digestWin((WindowStoreIterator<?>) w.backwardFetch(k, from, to));
                    break;
                case 6:
                    r = digestWk(w.fetch(k, k + "~", from, to));
                    break;
                case 7:
                    r = val(w.fetch(k, ts));
                    break;
                case 8:
                    r = digestWk(w.fetchAll(from, to));
                    break;
                case 9:
                    r = digestWk(w.backwardFetchAll(from, to));
                    break;
                case 10:
                    r = digestWk(w.all());
                    break;
                default:
                    r = digestWk(w.backwardAll());
            }
            return Fn.mix(op, r);
        }

        private long sesProbe(final String k, final long u, final long ts) {
            final SessionStore<String, Long> s = (SessionStore<String, Long>) store;
            final long span = param("span", 20);
            final long len = Math.floorMod(u, span);
            final int op = (int) Math.floorMod(u, 10L);
            final long r;
            switch (op) {
                case 0:
                case 1:
                case 2:
                    s.put(new Windowed<>(k, new SessionWindow(ts, ts + len)), u);
                    r = 0;
                    break;
                case 3:
                    s.remove(new Windowed<>(k, new SessionWindow(ts, ts + len)));
                    r = 0;
                    break;
                case 4:
                    r = digestSes(s.findSessions(k, Math.max(0, ts - span), ts + span));
                    break;
                case 5:
                    r = digestSes(s.findSessions(k, 0, ts));
                    break;
                case 6:
                    r = digestSes(s.fetch(k));
                    break;
                case 7:
                    r = Fn.or(s.fetchSession(k, ts, ts + len), -1);
                    break;
                case 8:
                    r = digestWk(s.fetch(k, k + "~"));
                    break;
                default:
                    r = digestWk(s.findSessions(k, k + "~", Math.max(0, ts - span), ts + span));
            }
            return Fn.mix(op, r);
        }

        private static long digestSes(final KeyValueIterator<Windowed<String>, Long> it) {
            long h = 17;
            try (it) {
                while (it.hasNext()) {
                    final KeyValue<Windowed<String>, Long> e = it.next();
                    h = Fn.mix(Fn.mix(Fn.mix(h, e.key.window().start()), e.key.window().end()), e.value);
                }
            }
            return h;
        }
    }

    static final class Proc implements Processor<Object, Long, Object, Long> {
        private final JsonNode stmt;
        private ProcessorContext<Object, Long> ctx;
        private Body body;
        private Record<Object, Long> cur;
        private final Out out = new Out() {
            @Override
            public void same(final Long value, final Long ts) {
                Record<Object, Long> r = cur.withValue(value);
                if (ts != null) {
                    r = r.withTimestamp(ts);
                }
                ctx.forward(r);
            }

            @Override
            public void keyed(final Object key, final Long value, final long ts) {
                ctx.forward(new Record<>(key, value, ts));
            }

            @Override
            public void child(final Long value, final String child) {
                ctx.forward(cur.withValue(value), child);
            }

            @Override
            public void header(final String name, final String text) {
                final Headers h = cur.headers();
                h.add(name, text.getBytes(StandardCharsets.UTF_8));
            }
        };

        Proc(final JsonNode stmt) {
            this.stmt = stmt;
        }

        @Override
        public void init(final ProcessorContext<Object, Long> c) {
            ctx = c;
            body = new Body(stmt, c, out);
        }

        @Override
        public void process(final Record<Object, Long> r) {
            cur = r;
            body.process(r.key(), r.value(), r.timestamp(), out);
        }
    }

    static final class FixedProc implements FixedKeyProcessor<Object, Long, Long> {
        private final JsonNode stmt;
        private FixedKeyProcessorContext<Object, Long> ctx;
        private Body body;
        private FixedKeyRecord<Object, Long> cur;
        private final Out out = new Out() {
            @Override
            public void same(final Long value, final Long ts) {
                FixedKeyRecord<Object, Long> r = cur.withValue(value);
                if (ts != null) {
                    r = r.withTimestamp(ts);
                }
                ctx.forward(r);
            }

            @Override
            public void keyed(final Object key, final Long value, final long ts) {
                throw new Fn.SpecError("processValues cannot forward a new key");
            }

            @Override
            public void child(final Long value, final String child) {
                ctx.forward(cur.withValue(value), child);
            }

            @Override
            public void header(final String name, final String text) {
                cur.headers().add(name, text.getBytes(StandardCharsets.UTF_8));
            }
        };

        FixedProc(final JsonNode stmt) {
            this.stmt = stmt;
        }

        @Override
        public void init(final FixedKeyProcessorContext<Object, Long> c) {
            ctx = c;
            body = new Body(stmt, c, out);
        }

        @Override
        public void process(final FixedKeyRecord<Object, Long> r) {
            cur = r;
            body.process(r.key(), r.value(), r.timestamp(), out);
        }
    }

    /** addGlobalStore's only processor: put or delete, nothing forwarded. */
    static final class GlobalPut implements Processor<Object, Long, Void, Void> {
        private final String name;
        private KeyValueStore store;
        private boolean tsd;

        GlobalPut(final String name) {
            this.name = name;
        }

        @Override
        public void init(final ProcessorContext<Void, Void> c) {
            store = c.getStateStore(name);
            tsd = store instanceof TimestampedKeyValueStore;
        }

        @Override
        public void process(final Record<Object, Long> r) {
            if (r.key() == null) {
                return;
            }
            if (r.value() == null) {
                store.delete(r.key());
            } else {
                store.put(r.key(), tsd ? ValueAndTimestamp.make(r.value(), r.timestamp()) : r.value());
            }
        }
    }

    /** KTable.transformValues library. */
    static final class Xf implements ValueTransformerWithKey<Object, Long, Long> {
        private final JsonNode stmt;
        private final String kind;
        private org.apache.kafka.streams.processor.ProcessorContext ctx;
        private KeyValueStore<String, Long> store;
        private Fn.ValMap vm;

        Xf(final JsonNode stmt) {
            this.stmt = stmt;
            this.kind = stmt.get("xf").get("x").asText();
        }

        @Override
        public void init(final org.apache.kafka.streams.processor.ProcessorContext c) {
            ctx = c;
            if (kind.equals("count")) {
                store = c.getStateStore(stmt.get("stores").get(0).asText());
            } else if (kind.equals("val")) {
                vm = Fn.val(stmt.get("xf").get("val"));
            }
        }

        @Override
        public Long transform(final Object k, final Long v) {
            switch (kind) {
                case "val":
                    return vm.apply(k, v);
                case "ts":
                    return v == null ? null : v + ctx.timestamp();
                case "count": {
                    final long c = Fn.or(store.get(Fn.kt(k)), 0) + 1;
                    store.put(Fn.kt(k), c);
                    return v == null ? null : Fn.mix(v, c);
                }
                default:
                    throw new Fn.SpecError("unknown transformer " + kind);
            }
        }

        @Override
        public void close() { }
    }
}
