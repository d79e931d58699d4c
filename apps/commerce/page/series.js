// Numbers over time.

/** The last samples of some series, in the shape that charts read: [times, ...values]. */
export class Series {
  constructor(count, span = 300) {
    this.span = span; // Seconds.
    this.data = Array.from({ length: count + 1 }, () => []);
  }
  add(seconds, ...values) {
    [seconds, ...values].forEach((value, i) => this.data[i].push(value));
    while (this.data[0][0] < seconds - this.span) this.data.forEach((column) => column.shift());
  }
  clear() {
    this.data.forEach((column) => (column.length = 0));
  }
}

/** Rates of counters that only grow, by name; null until there are two samples to compare. */
export class Rates {
  constructor() {
    this.before = new Map();
  }
  /** Per second since the last time `name` was told. */
  of(name, total, seconds) {
    const before = this.before.get(name);
    this.before.set(name, { total, seconds });
    if (!before || total < before.total || seconds <= before.seconds) return null;
    return (total - before.total) / (seconds - before.seconds);
  }
}
