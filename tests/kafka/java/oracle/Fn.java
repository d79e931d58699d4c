package oracle;

import com.fasterxml.jackson.databind.JsonNode;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.Windowed;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The fixed function library of the spec language. */
final class Fn {
    private Fn() { }

    /** Thrown for a spec that is itself malformed (never a Kafka Streams error). */
    static final class SpecError extends RuntimeException {
        SpecError(final String m) { super(m); }
    }

    /** Thrown by the throwMod function. */
    static final class UserException extends RuntimeException {
        UserException(final String m) { super(m); }
    }

    interface Sel { String apply(Object k, Long v); }

    interface Pred { boolean test(Object k, Long v); }

    interface ValMap { Long apply(Object k, Long v); }

    interface Agg { Long apply(Object k, Long v, Long agg); }

    interface Join { Long apply(Object k, Long l, Long r); }

    interface Red { Long apply(Long a, Long b); }

    /** Text form of a key: String as is, Windowed as key@start/end, null as null. */
    static String kt(final Object k) {
        if (k == null) {
            return null;
        }
        if (k instanceof Windowed) {
            final Windowed<?> w = (Windowed<?>) k;
            return w.key() + "@" + w.window().start() + "/" + w.window().end();
        }
        return (String) k;
    }

    /** FNV-1a 64 over the UTF-8 bytes of kt(k); 0 for null. */
    static long kh(final Object k) {
        final String s = kt(k);
        if (s == null) {
            return 0L;
        }
        long h = 0xcbf29ce484222325L;
        for (final byte b : s.getBytes(StandardCharsets.UTF_8)) {
            h ^= b & 0xff;
            h *= 0x100000001b3L;
        }
        return h;
    }

    static long mix(final long a, final long b) {
        return a * 1000003L + b;
    }

    static long or(final Long v, final long d) {
        return v == null ? d : v;
    }

    private static long num(final JsonNode f, final String name) {
        if (!f.has(name)) {
            throw new SpecError("function " + f + " needs " + name);
        }
        return f.get(name).asLong();
    }

    private static String fn(final JsonNode f) {
        if (f == null || !f.has("fn")) {
            throw new SpecError("function expected, got " + f);
        }
        return f.get("fn").asText();
    }

    private static boolean mod(final Long v, final long m, final long r) {
        return v != null && Math.floorMod(v, m) == r;
    }

    static Pred pred(final JsonNode f) {
        switch (fn(f)) {
            case "valMod": {
                final long m = num(f, "m");
                final long r = num(f, "r");
                return (k, v) -> mod(v, m, r);
            }
            case "valGt": {
                final long c = num(f, "c");
                return (k, v) -> v != null && v > c;
            }
            case "keyMod": {
                final long m = num(f, "m");
                final long r = num(f, "r");
                return (k, v) -> Math.floorMod(kh(k), m) == r;
            }
            case "valNotNull":
                return (k, v) -> v != null;
            case "keyNotNull":
                return (k, v) -> k != null;
            case "all":
                return (k, v) -> true;
            case "none":
                return (k, v) -> false;
            case "throwMod": {
                final long m = num(f, "m");
                final long r = num(f, "r");
                return (k, v) -> {
                    if (mod(v, m, r)) {
                        throw new UserException("throwMod");
                    }
                    return true;
                };
            }
            default:
                throw new SpecError("unknown predicate " + f);
        }
    }

    static Sel sel(final JsonNode f) {
        switch (fn(f)) {
            case "valMod": {
                final long m = num(f, "m");
                return (k, v) -> v == null ? null : "k" + Math.floorMod(v, m);
            }
            case "valDiv": {
                final long d = num(f, "d");
                return (k, v) -> v == null ? null : "k" + Math.floorDiv(v, d);
            }
            case "keyMod": {
                final long m = num(f, "m");
                return (k, v) -> "k" + Math.floorMod(kh(k), m);
            }
            case "const": {
                final String s = f.get("s").asText();
                return (k, v) -> s;
            }
            case "prefix": {
                final String s = f.get("s").asText();
                return (k, v) -> s + kt(k);
            }
            case "key":
                return (k, v) -> kt(k);
            case "innerKey":
                return (k, v) -> k instanceof Windowed ? (String) ((Windowed<?>) k).key() : (String) k;
            case "nullIf": {
                final long m = num(f, "m");
                final long r = num(f, "r");
                return (k, v) -> mod(v, m, r) ? null : kt(k);
            }
            case "null":
                return (k, v) -> null;
            default:
                throw new SpecError("unknown key selector " + f);
        }
    }

    static ValMap val(final JsonNode f) {
        switch (fn(f)) {
            case "id":
                return (k, v) -> v;
            case "add": {
                final long c = num(f, "c");
                return (k, v) -> v == null ? null : v + c;
            }
            case "mul": {
                final long c = num(f, "c");
                return (k, v) -> v == null ? null : v * c;
            }
            case "mod": {
                final long m = num(f, "m");
                return (k, v) -> v == null ? null : Math.floorMod(v, m);
            }
            case "neg":
                return (k, v) -> v == null ? null : -v;
            case "const": {
                final long c = num(f, "c");
                return (k, v) -> c;
            }
            case "orElse": {
                final long c = num(f, "c");
                return (k, v) -> v == null ? Long.valueOf(c) : v;
            }
            case "nullIf": {
                final long m = num(f, "m");
                final long r = num(f, "r");
                return (k, v) -> mod(v, m, r) ? null : v;
            }
            case "null":
                return (k, v) -> null;
            case "addKeyMod": {
                final long m = num(f, "m");
                return (k, v) -> v == null ? null : v + Math.floorMod(kh(k), m);
            }
            case "throwMod": {
                final long m = num(f, "m");
                final long r = num(f, "r");
                return (k, v) -> {
                    if (mod(v, m, r)) {
                        throw new UserException("throwMod");
                    }
                    return v;
                };
            }
            default:
                throw new SpecError("unknown value mapper " + f);
        }
    }

    /** True if the mapper needs the key, i.e. the *WithKey overload is used. */
    static boolean needsKey(final JsonNode f) {
        return "addKeyMod".equals(fn(f));
    }

    static List<KeyValue<String, Long>> flat(final long m, final Sel s, final ValMap vm, final Object k, final Long v) {
        final long n = v == null ? 1 : Math.floorMod(v, m);
        final List<KeyValue<String, Long>> out = new ArrayList<>();
        for (long i = 0; i < n; i++) {
            final Long vi = v == null ? null : Long.valueOf(v + i);
            out.add(KeyValue.pair(s.apply(k, vi), vm.apply(k, vi)));
        }
        return out;
    }

    static List<Long> flatValues(final long m, final ValMap vm, final Object k, final Long v) {
        final long n = v == null ? 1 : Math.floorMod(v, m);
        final List<Long> out = new ArrayList<>();
        for (long i = 0; i < n; i++) {
            final Long vi = v == null ? null : Long.valueOf(v + i);
            out.add(vm.apply(k, vi));
        }
        return out;
    }

    static Join joiner(final JsonNode f) {
        switch (fn(f)) {
            case "pair":
                return (k, l, r) -> mix(or(l, -1), or(r, -1));
            case "sum":
                return (k, l, r) -> or(l, 0) + or(r, 0);
            case "left":
                return (k, l, r) -> l;
            case "right":
                return (k, l, r) -> r;
            case "nullIf": {
                final long m = num(f, "m");
                final long rr = num(f, "r");
                return (k, l, r) -> {
                    final long x = or(l, 0) + or(r, 0);
                    return Math.floorMod(x, m) == rr ? null : x;
                };
            }
            case "pairKey":
                return (k, l, r) -> mix(mix(or(l, -1), or(r, -1)), Math.floorMod(kh(k), 1000L));
            default:
                throw new SpecError("unknown joiner " + f);
        }
    }

    static boolean joinerNeedsKey(final JsonNode f) {
        return "pairKey".equals(fn(f));
    }

    /** Aggregator, adder, subtractor: (key, value, aggregate) -> aggregate. */
    static Agg agg(final JsonNode f) {
        switch (fn(f)) {
            case "sum":
                return (k, v, a) -> or(a, 0) + or(v, 0);
            case "sub":
                return (k, v, a) -> or(a, 0) - or(v, 0);
            case "count":
                return (k, v, a) -> or(a, 0) + 1;
            case "uncount":
                return (k, v, a) -> or(a, 0) - 1;
            case "hash":
                return (k, v, a) -> or(a, 7) * 31 + or(v, -1);
            case "max":
                return (k, v, a) -> Math.max(or(a, Long.MIN_VALUE), or(v, Long.MIN_VALUE));
            case "last":
                return (k, v, a) -> v;
            case "keep":
                return (k, v, a) -> a;
            case "sumNullIf": {
                final long m = num(f, "m");
                final long r = num(f, "r");
                return (k, v, a) -> {
                    final long x = or(a, 0) + or(v, 0);
                    return Math.floorMod(x, m) == r ? null : x;
                };
            }
            case "subNullIf": {
                final long m = num(f, "m");
                final long r = num(f, "r");
                return (k, v, a) -> {
                    final long x = or(a, 0) - or(v, 0);
                    return Math.floorMod(x, m) == r ? null : x;
                };
            }
            case "sumKey":
                return (k, v, a) -> or(a, 0) + or(v, 0) + Math.floorMod(kh(k), 7L);
            default:
                throw new SpecError("unknown aggregator " + f);
        }
    }

    /** Reducer (old, new) and session merger (agg one, agg two). */
    static Red red(final JsonNode f) {
        switch (fn(f)) {
            case "sum":
                return (a, b) -> or(a, 0) + or(b, 0);
            case "sub":
                return (a, b) -> or(a, 0) - or(b, 0);
            case "max":
                return (a, b) -> Math.max(or(a, Long.MIN_VALUE), or(b, Long.MIN_VALUE));
            case "min":
                return (a, b) -> Math.min(or(a, Long.MAX_VALUE), or(b, Long.MAX_VALUE));
            case "last":
                return (a, b) -> b;
            case "first":
                return (a, b) -> a;
            case "hash":
                return (a, b) -> or(a, 7) * 31 + or(b, -1);
            case "sumNullIf": {
                final long m = num(f, "m");
                final long r = num(f, "r");
                return (a, b) -> {
                    final long x = or(a, 0) + or(b, 0);
                    return Math.floorMod(x, m) == r ? null : x;
                };
            }
            default:
                throw new SpecError("unknown reducer " + f);
        }
    }

    static Long init(final JsonNode f) {
        if (f == null || f.isNull()) {
            return null;
        }
        return f.asLong();
    }
}
