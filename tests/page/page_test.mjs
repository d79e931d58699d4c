// The page as a customer and an operator meet it: the real shop, a real Chromium, clicks and looks.
// Usage: page_test.mjs SHOP STUB_RECEIVER
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

const [shopBinary, receiverBinary] = process.argv.slice(2);
const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const browserBinary = process.env.THALWEG_CHROMIUM ?? "/usr/bin/chromium";
const kPatience = 60_000;

let shop, receiver, browser, page, url, directory, receiverPort;
const troubles = []; // What the browser complained of.
// Who never paid in has no balance, and who is quite new no orders: that is an answer, which
// browsers note all the same.
const isAnswerOfNobody = (message) =>
  /\/users\/[^/]+\/(balance|orders\?limit=\d+)$/.test(message.location().url);
const strangers = []; // Requests to anybody but the shop.

// --- Fixture ----------------------------------------------------------------------------------

function driver() {
  const place = spawnSync(join(root, "scripts/install-page"), ["--where"], { encoding: "utf8" });
  const library = join(place.stdout.trim(), "node_modules/playwright-core");
  for (const [what, path] of [
    ["playwright-core", library],
    ["Chromium", browserBinary],
  ]) {
    if (!existsSync(path)) {
      throw new Error(`${what} is not at ${path}: run scripts/install-dependencies`);
    }
  }
  return createRequire(import.meta.url)(library).chromium;
}

const freePort = () =>
  new Promise((found) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => found(port));
    });
  });

async function until(what, holds) {
  const end = Date.now() + kPatience;
  let last;
  while (Date.now() < end) {
    try {
      const result = await holds();
      if (result) return result;
    } catch (error) {
      last = error;
    }
    await new Promise((tick) => setTimeout(tick, 50));
  }
  throw new Error(`not within ${kPatience / 1000} s: ${what}`, { cause: last });
}

async function api(path, body, method = body ? "POST" : "GET") {
  const answer = await fetch(url + path, {
    method,
    headers: body ? { "Content-Type": "application/json" } : {},
    body: body && JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

const text = (selector) => page.locator(selector).textContent();
const count = async (selector) => Number(await page.locator(selector).getAttribute("data-count"));

function open(size, scheme = "light") {
  return browser.newPage({ viewport: size, colorScheme: scheme });
}

/** `settings`: more of them, as --set takes them. */
async function openShop(...settings) {
  shop = spawn(
    shopBinary,
    [
      "--data-dir",
      join(directory, "data"),
      "--listen",
      url.slice("http://".length),
      "--set",
      `webhook.url=http://127.0.0.1:${receiverPort}`,
      "--set",
      "delivery.retry.ms=1,1,1,1",
      "--set",
      "delivery.retry.jitter.percent=0",
      ...settings.flatMap((setting) => ["--set", setting]),
    ],
    { stdio: "inherit" },
  );
  await until("the shop is ready", async () => (await fetch(`${url}/readyz`)).ok);
}

async function closeShop() {
  const ended = new Promise((end) => shop.on("exit", end));
  shop.kill("SIGTERM");
  assert.equal(await ended, 0, "the shop closes cleanly while pages listen");
}

before(async () => {
  const chromium = driver();
  directory = mkdtempSync(join(tmpdir(), "thalweg-page-"));
  url = `http://127.0.0.1:${await freePort()}`;
  receiverPort = await freePort();
  await openShop();
  browser = await chromium.launch({
    executablePath: browserBinary,
    args: [
      ...(process.getuid() === 0 ? ["--no-sandbox"] : []),
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  page = await open({ width: 1440, height: 900 });
  page.on("pageerror", (error) => troubles.push(error.message));
  page.on("console", (message) => {
    if (isAnswerOfNobody(message)) return;
    if (["error", "warning"].includes(message.type())) troubles.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith("data:")) {
      strangers.push(request.url());
    }
  });
});

after(async () => {
  await browser?.close();
  receiver?.kill();
  if (shop) await closeShop();
  if (directory) rmSync(directory, { recursive: true, force: true });
});

// --- A customer -------------------------------------------------------------------------------

test("the page opens and says how the shop is", async () => {
  await page.goto(url);
  const { applications } = await api("/readyz");
  await until(
    "it runs",
    async () => (await text("#state-text")) === `Running · ${applications.length} applications`,
  );
  assert.ok(await page.locator("#development").isVisible(), "development mode is said aloud");
});

test("an empty shelf is filled with a click", async () => {
  await page.click("#stock-the-shelf");
  await until("three products", async () => (await page.locator("#shelf li").count()) === 3);
  assert.match(await text("#shelf"), /Storm lantern/);
});

test("a customer buys, and sees the order complete", async () => {
  await page.click("#deposit");
  await until(
    "the balance is that of the interface",
    async () => (await count("#balance")) === (await api("/users/demo/balance")).balance,
  );
  await page.getByRole("button", { name: "Buy Storm lantern" }).click();
  await until("the order is completed", async () =>
    (await text("#own-orders")).includes("Completed"),
  );
  await until(
    "its history is shown step by step",
    async () =>
      (await page.locator("#history-steps .name").allTextContents()).join() ===
      "Order created,Inventory deducted,Payment completed,Shipment created,Order completed",
  );
  await until("the customer is told", async () =>
    (await text("#notices")).includes("Order completed"),
  );
  assert.equal(await count("#balance"), (await api("/users/demo/balance")).balance);
});

test("an order that cannot be paid says why", async () => {
  await page.fill("#user", "cleo");
  await page.press("#user", "Enter");
  await page.getByRole("button", { name: "Buy Hammock" }).click();
  await until("it is cancelled", async () =>
    /insufficient balance/.test(await text("#history-status")),
  );
  await page.fill("#user", "demo");
  await page.press("#user", "Enter");
});

test("the stock goes down as others buy", async () => {
  await page.selectOption("#stock-select", "lantern");
  for (let i = 0; i < 10; ++i) {
    await api("/orders", { userId: "demo", items: [{ productId: "lantern", quantity: 1 }] });
  }
  await until("the stock is that of the interface", async () => {
    const stock = await api("/products/lantern/stock");
    return (
      stock.sold === 11 &&
      (await count("#stock-available")) === stock.available &&
      (await count("#stock-sold")) === stock.sold
    );
  });
  assert.equal(await text("#stock-name"), "Storm lantern");
});

test("coupons are offered, taken, and counted", async () => {
  await page.click("#offer-coupons");
  const coupon = await until(
    "it is on offer",
    async () => (await page.locator("#coupons .name").first().textContent()) || null,
  );
  await page.getByRole("button", { name: `Get one coupon ${coupon}` }).click();
  await until("one is gone", async () => (await count("#coupons .number")) === 99);
  assert.equal((await api(`/coupons/${coupon}`)).left, 99);
  await until("the customer may pay with it", async () =>
    (await text("#coupon-choice")).includes(coupon),
  );
});

// --- The control room -------------------------------------------------------------------------

test("the numbers are those of the interface", async () => {
  await until("the tiles say what the funnel says", async () => {
    const funnel = await api("/analytics/funnel");
    return (
      funnel.open === 0 &&
      funnel.created === 12 &&
      (await count("#tile-created")) === funnel.created &&
      (await count("#tile-completed")) === funnel.completed &&
      (await count("#tile-cancelled")) === funnel.cancelled
    );
  });
  const [first] = await api("/ranking/products?window=hour&n=10");
  await until(
    "the best sold is first",
    async () =>
      (await page.locator("#ranking tr td").allTextContents()).slice(0, 3).join() ===
      `1,${first.name},${first.quantity}`,
  );
  const popular = await api("/products/popular?window=1h&n=10");
  assert.ok(popular.length > 0, "who buys has looked");
  await until(
    "so are the most viewed",
    async () => (await page.locator("#popular tr").count()) === popular.length,
  );
  assert.match(await text("#events"), /Order completed/);
});

test("the plan of every application can be looked at", async () => {
  const plans = (await api("/v1/topology")).items;
  const shown = page.locator("#topology .application .title");
  await until("all applications are drawn", async () => (await shown.count()) === plans.length);
  await page.selectOption("#topology-select", "analytics");
  const stores = await page.locator("#topology .store .title").allTextContents();
  assert.deepEqual(stores.sort(), [
    "customers",
    "product-prices",
    "revenue-by-product",
    "sales-by-hour",
  ]);
  await page.selectOption("#topology-select", "");
});

test("dead letters are run again", async () => {
  const letters = page.locator("#letters tr");
  const given = await until("all were given up, as nobody receives them", async () => {
    const list = await api("/dlq?limit=50");
    return list.length === 12 && list.length;
  });
  await until("each is in the table", async () => (await letters.count()) === given);
  await until("an alert is shown", async () => page.locator("#alerts li").first().isVisible());
  receiver = spawn(receiverBinary, ["--listen", `127.0.0.1:${receiverPort}`], { stdio: "inherit" });
  await until(
    "the receiver is there",
    async () => (await fetch(`http://127.0.0.1:${receiverPort}/ledger`)).ok,
  );

  await letters
    .first()
    .getByRole("button", { name: /^Retry/ })
    .click();

  await until("it is no dead letter", async () => (await letters.count()) === given - 1);
  await until("it is delivered", async () => {
    return (await api("/deliveries?status=COMPLETED")).length === 1;
  });
});

// --- How it behaves ---------------------------------------------------------------------------

test("nothing moves while nothing happens", async () => {
  // What was clicked before may still be on its way, and charts go on with the time, so the page is
  // given as long as it takes to come to rest; one that flickers never has five seconds of it.
  const restless = await page.evaluate(
    ([rest, patience]) =>
      new Promise((told) => {
        const seen = [];
        const begun = Date.now();
        let last = begun;
        new MutationObserver((records) => {
          last = Date.now();
          for (const record of records) {
            const near =
              record.target.id || record.target.parentElement?.id || record.target.nodeName;
            seen.push(`${record.type} of ${near} after ${last - begun} ms`);
          }
        }).observe(document.getElementById("main"), {
          subtree: true,
          childList: true,
          characterData: true,
          attributes: true,
        });
        const look = setInterval(() => {
          const still = Date.now() - last >= rest;
          if (!still && Date.now() - begun < patience) return;
          clearInterval(look);
          told(still ? [] : seen.slice(-20));
        }, 100);
      }),
    [5000, 40_000],
  );
  assert.deepEqual(restless, []);
});

for (const [name, size, scheme] of [
  ["a desktop", { width: 1440, height: 900 }, "light"],
  ["a tablet at night", { width: 900, height: 1200 }, "dark"],
  ["a phone", { width: 390, height: 844 }, "light"],
]) {
  test(`on ${name} nothing overlaps and nothing sticks out`, async () => {
    const other = await open(size, scheme);
    await other.goto(url);
    await until("it shows something", async () => (await other.locator("#shelf li").count()) === 3);
    await until("and the graph", async () => (await other.locator("#topology svg").count()) === 1);
    const faults = await other.evaluate(() => {
      const found = [];
      if (document.documentElement.scrollWidth > innerWidth)
        found.push("the page scrolls sideways");
      const name = (element) => element.id || element.className;
      const boxes = [...document.querySelectorAll(".panel, .tile, header, footer, .banner")]
        .filter((element) => element.offsetParent !== null || element.tagName === "HEADER")
        .map((element) => [name(element), element.getBoundingClientRect()]);
      boxes.forEach(([first, a], i) =>
        boxes.slice(i + 1).forEach(([second, b]) => {
          if (
            a.left < b.right - 1 &&
            b.left < a.right - 1 &&
            a.top < b.bottom - 1 &&
            b.top < a.bottom - 1
          )
            found.push(`${first} overlaps ${second}`);
        }),
      );
      for (const element of document.querySelectorAll(".panel *")) {
        if (element.closest(".graph, .scroll, .u-wrap, .hidden, .notices")) continue;
        const box = element.getBoundingClientRect();
        const panel = element.closest(".panel").getBoundingClientRect();
        if (box.width > 0 && (box.right > panel.right + 1 || box.left < panel.left - 1)) {
          found.push(`${name(element) || element.tagName} sticks out`);
        }
      }
      for (const control of document.querySelectorAll("button, select, input")) {
        const label =
          control.getAttribute("aria-label") ||
          control.textContent.trim() ||
          control.labels?.[0]?.textContent;
        if (!label) found.push(`${name(control)} has no name`);
      }
      return found;
    });
    assert.deepEqual(faults, []);
    await other.close();
  });
}

test("nobody but the shop is asked, and the browser has nothing to complain of", () => {
  assert.deepEqual(strangers, []);
  assert.deepEqual(troubles, []);
});

test("the page says when the shop is gone, and goes on with it", async () => {
  await closeShop();
  await until("it says so", async () => (await text("#state-text")).startsWith("No answer since"));
  await openShop();
  await until("it runs again", async () => (await text("#state-text")).startsWith("Running"));

  await api("/orders", { userId: "demo", items: [{ productId: "lantern", quantity: 1 }] });

  await until(
    "the stock goes on going down",
    async () => (await count("#stock-sold")) === 12 && (await count("#tile-created")) === 13,
  );
});

/** A customer's token, as whoever runs the shop would give it. */
function tokenOf(user, secret) {
  const encode = (part) => Buffer.from(part).toString("base64url");
  const signed = `${encode('{"alg":"HS256"}')}.${encode(JSON.stringify({ sub: user }))}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

test("with tokens customers see the shop, and operators the control room", async () => {
  await closeShop();
  await openShop("auth.secret=secret", "admin.token=operators");
  const other = await open({ width: 1440, height: 900 });
  const complaints = [];
  other.on("console", (message) => {
    if (isAnswerOfNobody(message)) return;
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  await other.goto(url);
  await until("the shelf is there", async () => (await other.locator("#shelf li").count()) === 3);
  assert.ok(!(await other.locator("#topology").isVisible()), "the control room is closed");
  assert.ok(!(await other.locator("#offer-coupons").isVisible()), "so is what operators do");

  await other.fill("#user", tokenOf("zoë", "secret"));
  await other.press("#user", "Enter");
  await other.click("#deposit");
  await until(
    "the deposit is the customer's",
    async () => (await other.locator("#balance").getAttribute("data-count")) > 0,
  );
  await other.getByRole("button", { name: "Buy Camping kettle" }).click();
  await until("the order is seen", async () =>
    /kettle|Cancelled|Completed/i.test(await other.textContent("#own-orders")),
  );

  await other.fill("#operator", "operators");
  await other.press("#operator", "Enter");
  await until("the control room opens", async () => (await other.locator("#topology svg").count()) === 1);
  await until(
    "the stock is followed",
    async () => (await other.locator("#stock-stocked").textContent()) === "1,000",
  );
  await other.click("#offer-coupons");
  await until("a coupon is offered", async () => (await other.locator("#coupons li").count()) === 2);
  assert.deepEqual(complaints, []);
  await other.close();
});
