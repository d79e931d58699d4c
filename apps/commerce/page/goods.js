// Goods: the shelf, the stock of one product, coupons, what sells and what is looked at.
import { changes, every, get, getOwn, send, sendAsOperator, session } from "./api.js";
import { lineChart } from "./charts.js";
import {
  byId,
  formatCount,
  formatMoney,
  h,
  keepList,
  say,
  setAttribute,
  setCount,
  setHidden,
  setText,
  setWidth,
} from "./dom.js";
import { Series } from "./series.js";

const kShelf = 8;

const state = {
  products: new Map(),
  sold: new Map(),
  selected: null,
};

const nameOf = (product) => product.name || product.productId;

/** The product to watch: the one that was chosen, else the one that sells best now. */
function productToWatch(ranking) {
  const grown = ranking.map((sold) => {
    const before = state.sold.get(sold.productId);
    return { id: sold.productId, units: before === undefined ? 0 : sold.quantity - before };
  });
  state.sold = new Map(ranking.map((sold) => [sold.productId, sold.quantity]));
  const chosen = localStorage.getItem("product");
  if (chosen && state.products.has(chosen)) return chosen;
  const best = grown.reduce((a, b) => (b.units > a.units ? b : a), { id: null, units: 0 });
  const current = grown.find((product) => product.id === state.selected);
  // What still sells is not left for what sells a little more.
  if (best.id && !current?.units) return best.id;
  return state.selected ?? ranking[0]?.productId ?? state.products.keys().next().value ?? null;
}

// --- The stock of one product -----------------------------------------------------------------

function startStock(watched) {
  const series = new Series(1);
  const chart = lineChart(
    byId("stock-chart"),
    [{ label: "available", color: "--accent", fill: true, stepped: true }],
    { format: formatCount },
  );
  const views = lineChart(
    byId("views-chart"),
    [{ label: "views per minute", color: "--accent", fill: true, stepped: true }],
    { span: 1800, format: formatCount },
  );
  let stop = null;
  let row = null;

  const show = () => {
    setText(byId("stock-name"), row ? row.name : "–");
    for (const part of ["available", "reserved", "sold"]) {
      if (row) setCount(byId(`stock-${part}`), row[part]);
      else setText(byId(`stock-${part}`), "–");
      setWidth(byId(`stock-bar-${part}`), row && row.stocked ? row[part] / row.stocked : 0);
    }
    setText(byId("stock-stocked"), row ? formatCount(row.stocked) : "–");
  };
  const sample = () => {
    if (!row) return;
    series.add(Date.now() / 1000, row.available);
    chart.show(series.data);
  };
  setInterval(() => document.hidden || sample(), 1000);

  const showViews = async () => {
    const product = state.selected;
    if (!product) return;
    const minute = 60_000;
    const end = Math.floor(Date.now() / minute) * minute;
    const from = end - 29 * minute;
    const path =
      `/products/${encodeURIComponent(product)}/views?window=1m` +
      `&from=${new Date(from).toISOString()}&to=${new Date(end + minute).toISOString()}`;
    const counted = new Map(
      (await get(path)).windows.map((window) => [Date.parse(window.start), window.views]),
    );
    const times = Array.from({ length: 30 }, (_, i) => from + i * minute);
    views.show([times.map((time) => time / 1000), times.map((time) => counted.get(time) ?? 0)]);
  };

  function select(product) {
    if (product === state.selected) return;
    state.selected = product;
    series.clear();
    row = null;
    stop?.();
    setText(byId("views-name"), product ? nameOf(state.products.get(product) ?? { productId: product }) : "–");
    stop =
      watched &&
      product &&
      changes("stock", { key: `str:${product}`, snapshot: true, interval: 500 }, (change) => {
        const first = !row;
        row = change.value;
        show();
        if (first) sample();
      });
    showViews().catch(() => {});
  }

  byId("stock-select").addEventListener("change", (event) => {
    localStorage.setItem("product", event.target.value);
    select(event.target.value);
  });
  show();
  return { select, showViews };
}

// --- The shelf --------------------------------------------------------------------------------

async function buy(product, ordered) {
  try {
    // Whoever buys has looked at it: this is what views count.
    await getOwn(`/products/${encodeURIComponent(product)}`);
    const coupon = byId("coupon-choice").value;
    const answer = await send("POST", "/orders", {
      userId: session.development ? session.user : undefined,
      items: [{ productId: product, quantity: 1 }],
      couponId: coupon || undefined,
    });
    ordered(answer.orderId);
  } catch (error) {
    say(`Not ordered: ${error.message}`, "error");
  }
}

function card(ordered) {
  return (product) => {
    const name = h("span", { class: "name" });
    const price = h("span", { class: "number" });
    const left = h("span", { class: "muted number" });
    const button = h("button", { onclick: () => buy(product.productId, ordered) }, "Buy");
    return {
      element: h("li", {}, h("span", { class: "what" }, name, left), price, button),
      update(item) {
        setText(name, nameOf(item));
        setAttribute(name, "title", item.productId);
        setText(price, formatMoney(item.price));
        setText(left, item.stock > 0 ? `${formatCount(item.stock)} left` : "sold out");
        setAttribute(button, "aria-label", `Buy ${nameOf(item)}`);
        if (button.disabled !== item.stock <= 0) button.disabled = item.stock <= 0;
      },
    };
  };
}

async function stockTheShelf() {
  const goods = [
    ["lantern", "Storm lantern", 4900],
    ["kettle", "Camping kettle", 2450],
    ["hammock", "Hammock", 7900],
  ];
  for (const [id, name, price] of goods) {
    await sendAsOperator("PUT", `/products/${id}`, { name, price, stock: 1000 });
  }
}

/** The products that sell, then others by id: a shelf has room for a dozen. */
async function readShelf() {
  const [ranking, first] = await Promise.all([
    get("/ranking/products?window=hour&n=10"),
    get(`/products?limit=${kShelf}`),
  ]);
  const rows = new Map(first.map((row) => [row.productId, row]));
  const missing = ranking.filter((sold) => !rows.has(sold.productId)).slice(0, kShelf / 2);
  const found = await Promise.all(
    missing.map((sold) =>
      get(`/products/${encodeURIComponent(sold.productId)}/stock`).catch(() => null),
    ),
  );
  for (const row of found) if (row) rows.set(row.productId, { ...row, stock: row.available });
  const order = new Map(ranking.map((sold, i) => [sold.productId, i]));
  const place = (key) => order.get(key) ?? kShelf;
  const shelf = [...rows.values()]
    .sort(
      (a, b) =>
        place(a.productId) - place(b.productId) || (a.productId < b.productId ? -1 : 1),
    )
    .slice(0, kShelf);
  state.products = new Map(shelf.map((row) => [row.productId, row]));
  return { ranking, shelf };
}

// --- Coupons ----------------------------------------------------------------------------------

async function wantCoupon(coupon) {
  try {
    await send("POST", "/coupons/issue", {
      userId: session.development ? session.user : undefined,
      couponId: coupon,
    });
    say(`Asked for coupon ${coupon}; the answer comes as a notification.`);
  } catch (error) {
    say(`Not asked: ${error.message}`, "error");
  }
}

function couponRow(coupon) {
  const name = h("span", { class: "name" });
  const fill = h("i", { class: "accent" });
  const left = h("span", { class: "number" });
  const button = h("button", { onclick: () => wantCoupon(coupon.couponId) }, "Get one");
  return {
    element: h("li", {}, name, h("span", { class: "track" }, fill), left, button),
    update(item) {
      setText(name, item.couponId);
      setAttribute(name, "title", item.couponId);
      setCount(
        left,
        item.left,
        (n) => `${formatCount(n)} of ${formatCount(item.quantity)} left`,
      );
      setWidth(fill, item.quantity ? item.left / item.quantity : 0);
      setAttribute(button, "aria-label", `Get one coupon ${item.couponId}`);
    },
  };
}

async function offerCoupons() {
  const now = Date.now();
  await sendAsOperator("POST", "/coupons", {
    couponId: `welcome-${new Date(now).toISOString().slice(11, 19).replaceAll(":", "")}`,
    quantity: 100,
    validFrom: new Date(now - 60_000).toISOString(),
    validUntil: new Date(now + 86_400_000).toISOString(),
    discount: { percent: 10 },
  });
}

async function showOwnCoupons() {
  if (!session.known) return;
  const choice = byId("coupon-choice");
  const own = (await getOwn(`/users/${encodeURIComponent(session.user)}/coupons`)).filter(
    (coupon) => coupon.status === "UNUSED",
  );
  const wanted = ["", ...own.map((coupon) => coupon.couponId)];
  if (wanted.join("\n") === [...choice.options].map((option) => option.value).join("\n")) return;
  const chosen = choice.value;
  choice.replaceChildren(
    ...wanted.map((id) => h("option", { value: id }, id ? `coupon ${id}` : "no coupon")),
  );
  choice.value = wanted.includes(chosen) ? chosen : "";
}

// --- What sells, what is looked at ------------------------------------------------------------

function rankRow() {
  const cells = [0, 1, 2].map((i) => h("td", { class: i === 1 ? "" : "number" }));
  return {
    element: h("tr", {}, ...cells),
    update(item) {
      setText(cells[0], item.rank);
      setText(cells[1], item.name || item.productId);
      setAttribute(cells[1], "title", item.productId);
      setText(cells[2], formatCount(item.quantity ?? item.views));
    },
  };
}

function fillSelect(shelf) {
  const select = byId("stock-select");
  const goods = shelf.map((row) => [row.productId, nameOf(row)]);
  if (state.selected && !goods.some(([id]) => id === state.selected)) {
    goods.push([state.selected, state.selected]);
  }
  const ids = goods.map(([id]) => id).join("\n");
  if (select.dataset.ids !== ids) {
    select.dataset.ids = ids;
    select.replaceChildren(...goods.map(([value, name]) => h("option", { value }, name)));
  }
  if (state.selected && select.value !== state.selected) select.value = state.selected;
}

/** `watched`: whether the stock of a product may be followed, which takes an operator. */
export function startGoods(status, watched, ordered) {
  const stock = startStock(watched);
  const shelf = every(
    3000,
    async () => {
      const { ranking, shelf: rows } = await readShelf();
      keepList(byId("shelf"), rows, (row) => row.productId, card(ordered));
      setHidden(byId("empty-shelf"), rows.length > 0);
      stock.select(productToWatch(ranking));
      fillSelect(rows);
    },
    status.failed,
  );

  const rankings = every(
    3000,
    async () => {
      const window = byId("ranking-window").value;
      const [sold, seen] = await Promise.all([
        get(`/ranking/products?window=${window}&n=10`),
        get("/products/popular?window=1h&n=10"),
      ]);
      keepList(byId("ranking"), sold, (item) => item.rank, rankRow);
      keepList(byId("popular"), seen, (item) => item.rank, rankRow);
      setHidden(byId("no-ranking"), sold.length > 0);
      setHidden(byId("no-popular"), seen.length > 0);
    },
    status.failed,
  );
  byId("ranking-window").addEventListener("change", rankings.now);
  every(3000, stock.showViews, status.failed);

  const coupons = every(
    1000,
    async () => {
      const offered = await get("/coupons?limit=20");
      keepList(byId("coupons"), offered, (coupon) => coupon.couponId, couponRow);
      setHidden(byId("no-coupons"), offered.length > 0);
    },
    status.failed,
  );

  const own = every(5000, showOwnCoupons);
  for (const [id, work, then] of [
    ["stock-the-shelf", stockTheShelf, shelf.now],
    ["offer-coupons", offerCoupons, coupons.now],
  ]) {
    byId(id).addEventListener("click", async (event) => {
      event.target.disabled = true;
      await work().catch((error) => say(error.message, "error"));
      event.target.disabled = false;
      then();
    });
  }
  return { ownCoupons: own.now };
}
