// The user's own: balance, orders with their history, and what they are told.
import { every, get, getOwn, notices, send, session } from "./api.js";
import {
  byId,
  formatMoney,
  formatTime,
  h,
  keepList,
  plain,
  say,
  setAttribute,
  setCount,
  setHidden,
  setText,
  shortId,
} from "./dom.js";

const kOrders = 8;
const kNotices = 20;
const kBadSteps = /INSUFFICIENT|REFUSED|FAILED|CANCELLED/;

let followed = null;
let shown = ""; // The order whose history is shown, and as of when.
let told = [];

function stepRow() {
  const time = h("time");
  const name = h("span", { class: "name" });
  const after = h("span", { class: "muted number" });
  const element = h("li", {}, time, name, after);
  return {
    element,
    update({ event, since }) {
      setText(time, formatTime(event.at));
      setText(
        name,
        plain(event.type) +
          (event.reason && kBadSteps.test(event.type)
            ? ` (${plain(event.reason).toLowerCase()})`
            : ""),
      );
      setText(after, since > 0 ? `+${since} ms` : since === 0 ? "+0 ms" : "");
      setAttribute(element, "class", kBadSteps.test(event.type) ? "bad" : "good");
    },
  };
}

/** `orders` are the newest. Asks for the history only when there is more of it. */
async function showHistory(orders) {
  const id = followed;
  setHidden(byId("history"), !id);
  setHidden(byId("no-history"), Boolean(id));
  if (!id) return;
  const order = orders.find((known) => known.orderId === id) ?? (await getOwn(`/orders/${encodeURIComponent(id)}`));
  const state = `${id} ${order.updatedAt}`;
  if (state === shown) return;
  const events = await getOwn(`/orders/${encodeURIComponent(id)}/events`);
  if (id !== followed) return;
  shown = state;
  setText(byId("history-id"), shortId(id));
  setAttribute(byId("history-id"), "title", id);
  setText(
    byId("history-status"),
    plain(order.status) + (order.reason ? `: ${plain(order.reason).toLowerCase()}` : ""),
  );
  setAttribute(byId("history-status"), "class", `badge ${order.status.toLowerCase()}`);
  setText(byId("history-amount"), formatMoney(order.finalAmount));
  const steps = events.map((event, i) => ({
    event,
    place: i,
    since: i > 0 ? Date.parse(event.at) - Date.parse(events[i - 1].at) : null,
  }));
  keepList(byId("history-steps"), steps, (step) => step.place, stepRow);
}

function orderRow(item) {
  const badge = h("span", {});
  const what = h("span", { class: "name" });
  const amount = h("span", { class: "number" });
  const button = h(
    "button",
    { class: "row", onclick: () => follow(item.orderId) },
    h("span", { class: "id", title: item.orderId }, shortId(item.orderId)),
    what,
    amount,
    badge,
  );
  return {
    element: h("li", {}, button),
    update(order) {
      setText(what, order.items.map((it) => `${it.quantity} × ${it.productId}`).join(", "));
      setText(amount, formatMoney(order.finalAmount));
      setText(badge, plain(order.status));
      setAttribute(badge, "class", `badge ${order.status.toLowerCase()}`);
      setAttribute(button, "aria-pressed", order.orderId === followed);
    },
  };
}

/** Whoever is new here is no user yet, and has `otherwise`. */
async function getOfUser(what, otherwise) {
  return getOwn(`/users/${encodeURIComponent(session.user)}/${what}`).catch((error) => {
    if (error.status === 404) return otherwise;
    throw error;
  });
}

async function showOrders() {
  const orders = session.known ? await getOfUser(`orders?limit=${kOrders}`, []) : [];
  if (!followed && orders.length > 0) followed = orders[0].orderId;
  keepList(byId("own-orders"), orders, (order) => order.orderId, orderRow);
  setHidden(byId("no-orders"), orders.length > 0);
  setText(
    byId("no-orders"),
    session.known ? "No order yet: buy something." : "Give a customer's token, at the top.",
  );
  if (!session.known) return orders;
  const balance = await getOfUser("balance", { balance: 0 });
  setCount(byId("balance"), balance.balance, formatMoney);
  return orders;
}

function noticeRow() {
  const time = h("time");
  const title = h("b");
  const message = h("span", { class: "muted" });
  return {
    element: h("li", {}, time, title, message),
    update({ body }) {
      setText(time, formatTime(body.timestamp));
      setText(title, body.title ?? plain(body.type));
      setText(message, body.message ?? "");
    },
  };
}

function showNotices() {
  keepList(byId("notices"), told, (notice) => notice.id, noticeRow);
  setHidden(byId("no-notices"), told.length > 0);
}

const show = async () => showHistory(await showOrders());
const refresh = () => show().catch(() => {});

/** Shows the order's history, and keeps it up to date. */
export function follow(orderId) {
  followed = orderId;
  refresh();
}

export function startOrders(status) {
  let stop = () => {};
  let pending = 0;
  const listen = () => {
    stop();
    stop = () => {};
    told = [];
    showNotices();
    if (!session.known) return;
    stop = notices((id, body) => {
      told = [{ id, body }, ...told].sort((a, b) => b.id - a.id).slice(0, kNotices);
      // Many may come at once, when what was kept is told again.
      clearTimeout(pending);
      pending = setTimeout(() => {
        showNotices();
        refresh();
      }, 50);
    });
  };
  listen();
  // Notices come by themselves; this is for orders that are placed elsewhere and go on for long.
  every(5000, show, status.failed);

  byId("deposit").addEventListener("click", async () => {
    try {
      await send("POST", `/users/${encodeURIComponent(session.user)}/deposit`, { amount: 100_000 });
      await showOrders();
    } catch (error) {
      say(`No deposit: ${error.message}`, "error");
    }
  });
  return {
    userChanged() {
      followed = null;
      listen();
      refresh();
    },
  };
}

// --- The newest events of all orders ----------------------------------------------------------

function eventRow(item) {
  const { type, order_id: id, reason } = item.value;
  const bad = kBadSteps.test(type);
  const element = h(
    "li",
    { class: bad ? "bad" : type === "ORDER_COMPLETED" ? "good" : "" },
    h("time", {}, formatTime(item.value.at)),
    h("span", { class: "id", title: id }, shortId(id)),
    h(
      "span",
      { class: "name" },
      plain(type) + (bad && reason && reason !== "NONE" ? `: ${plain(reason).toLowerCase()}` : ""),
    ),
  );
  return { element, update() {} };
}

export function startEvents(status) {
  every(
    1000,
    async () => {
      const page = await get("/v1/topics/order-events/records?offset=-8&limit=24");
      const newest = page.items
        .filter((item) => item.value?.order_id)
        .sort((a, b) => b.value.at - a.value.at || b.offset - a.offset)
        .slice(0, 10);
      keepList(byId("events"), newest, (item) => `${item.partition}:${item.offset}`, eventRow);
      setHidden(byId("no-events"), newest.length > 0);
    },
    status.failed,
  );
}
