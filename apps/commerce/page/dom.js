// Small tools for the document. All that is shown changes in place, and only when it differs: so
// nothing flickers, and a quiet shop costs nothing.

/** An element: h("button", {class: "primary", onclick: buy}, "Buy"). */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== undefined && child !== null));
  return element;
}

/** The same for SVG. */
export function s(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export const byId = (id) => document.getElementById(id);

export function setText(element, text) {
  const value = String(text);
  if (element.textContent !== value) element.textContent = value;
}

export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

/** A number as people read it, and in full for whoever looks closer. */
export function setCount(element, count, format = formatCount) {
  setText(element, format(count));
  setAttribute(element, "data-count", count);
}

export function setHidden(element, hidden) {
  if (element.hidden !== hidden) element.hidden = hidden;
}

export function setWidth(element, fraction) {
  const width = `${(100 * Math.min(1, Math.max(0, fraction))).toFixed(1)}%`;
  if (element.style.width !== width) element.style.width = width;
}

const rowsOf = new WeakMap();

/**
 * Makes the children of `parent` those of `items`, in their order. A child whose key stays is kept
 * and updated; `make(item)` returns {element, update(item)}.
 */
export function keepList(parent, items, keyOf, make) {
  if (!rowsOf.has(parent)) rowsOf.set(parent, new Map());
  const known = rowsOf.get(parent);
  const wanted = new Set(items.map((item) => String(keyOf(item))));
  for (const [key, row] of known) {
    if (wanted.has(key)) continue;
    row.element.remove();
    known.delete(key);
  }
  let next = parent.firstElementChild;
  for (const item of items) {
    const key = String(keyOf(item));
    let row = known.get(key);
    if (!row) known.set(key, (row = make(item)));
    row.update(item);
    if (row.element === next) next = next.nextElementSibling;
    else parent.insertBefore(row.element, next);
  }
}

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 2 });
const tenth = new Intl.NumberFormat("en-US", { maximumFractionDigits: 1 });
const cents = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2 });

export const formatCount = (n) => whole.format(n);
export const formatShort = (n) => (Math.abs(n) < 10_000 ? whole.format(n) : short.format(n));
/** Per second. */
export const formatRate = (n) => (n >= 100 ? formatShort(n) : tenth.format(n));
/** Of the smallest unit. */
export const formatMoney = (n) => cents.format(n / 100);
/** For tiles, where there is little room. */
export const formatMoneyShort = (n) =>
  Math.abs(n) < 10_000_000 ? cents.format(n / 100) : short.format(n / 100);

export function formatTime(time) {
  return new Date(time).toLocaleTimeString("en-GB", { hour12: false });
}

/** INVENTORY_DEDUCTED -> "Inventory deducted". */
export function plain(name) {
  const words = String(name).replaceAll("_", " ").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The first eight digits tell ids apart for people; the whole id is in the title. */
export const shortId = (id) => (id.length > 13 ? id.slice(0, 8) : id);

const toasts = byId("toasts");
/** Says something in the corner for a few seconds; read out by screen readers. */
export function say(message, kind = "info") {
  const toast = h("div", { class: `toast ${kind}` }, message);
  toasts.append(toast);
  setTimeout(() => toast.remove(), kind === "error" ? 8000 : 4000);
  while (toasts.childElementCount > 3) toasts.firstElementChild.remove();
}
