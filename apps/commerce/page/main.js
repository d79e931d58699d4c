// The page of the shop: who looks, how the shop is, and what each part shows.
import { every, get, session } from "./api.js";
import { byId, formatTime, say, setAttribute, setHidden, setText } from "./dom.js";
import { startFunnel } from "./funnel.js";
import { startGoods } from "./goods.js";
import { startOperations } from "./operations.js";
import { follow, startEvents, startOrders } from "./orders.js";
import { startTopology } from "./topology.js";

// --- Light and dark ---------------------------------------------------------------------------

const kThemes = ["auto", "light", "dark"];

function applyTheme(theme) {
  document.documentElement.dataset.theme = theme;
  setText(byId("theme"), { auto: "Auto", light: "Light", dark: "Dark" }[theme]);
  document.dispatchEvent(new Event("themechange"));
}

function startTheme() {
  applyTheme(localStorage.getItem("theme") ?? "auto");
  byId("theme").addEventListener("click", () => {
    const now = document.documentElement.dataset.theme;
    const next = kThemes[(kThemes.indexOf(now) + 1) % kThemes.length];
    localStorage.setItem("theme", next);
    applyTheme(next);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
    document.dispatchEvent(new Event("themechange")),
  );
}

// --- How the shop is --------------------------------------------------------------------------

/** What the parts tell of their requests. */
class Status {
  constructor() {
    this.failures = 0;
    this.failed = (error) => {
      // A role that this process does not play, or state that is not restored yet: readyz says it.
      if (error.status) return;
      if (error instanceof TypeError && !/fetch/i.test(error.message)) console.error(error);
      if (++this.failures > 2) this.show("bad", `No answer since ${formatTime(this.last)}`);
    };
    this.last = Date.now();
  }
  answered() {
    this.failures = 0;
    this.last = Date.now();
  }
  show(kind, text) {
    setAttribute(byId("state"), "class", `state ${kind}`);
    setText(byId("state-text"), text);
  }
}

function startHealth(status) {
  every(
    2000,
    async () => {
      const answer = await fetch("/readyz", {
        cache: "no-store",
        signal: AbortSignal.timeout(5000),
      });
      const { status: state, applications } = await answer.json();
      status.answered();
      const running = applications.filter((application) => application.ready).length;
      const behind = applications.find((application) => !application.ready);
      if (state === "ready") status.show("good", `Running · ${running} applications`);
      else status.show("warn", `${behind.application}: ${behind.reason}`);
    },
    status.failed,
  );
}

// --- Who looks --------------------------------------------------------------------------------

function startUser(changed) {
  const field = byId("user");
  setHidden(byId("development"), !session.development);
  if (!session.development) {
    field.type = "password";
    field.placeholder = "token";
    setText(byId("user-label"), "Token");
  }
  field.value = session.development ? session.user : session.token;
  field.addEventListener("change", () => {
    const value = field.value.trim();
    if (session.development) {
      session.user = value || "demo";
      field.value = session.user;
    } else {
      session.token = value;
    }
    changed();
  });
}

/** Whether the operators' token is needed and not there: then the control room stays closed. */
async function isClosed() {
  if (!session.operatorToken) return false;
  if (!session.operator) return true;
  try {
    await get("/v1/info");
    return false;
  } catch (error) {
    if (error.status !== 401) throw error;
    session.operator = "";
    say("The shop does not know this operators' token.", "error");
    return true;
  }
}

function askForOperator() {
  setHidden(byId("operators"), false);
  byId("operators").addEventListener("submit", (event) => {
    event.preventDefault();
    session.operator = byId("operator").value.trim();
    location.reload();
  });
}

async function start() {
  startTheme();
  Object.assign(session, await get("/page/settings"));
  const status = new Status();
  startHealth(status);
  const closed = await isClosed();
  for (const part of document.querySelectorAll("[data-operators]")) setHidden(part, closed);
  const orders = startOrders(status);
  const goods = startGoods(status, !closed, (orderId) => {
    follow(orderId);
    goods.ownCoupons();
  });
  startUser(() => {
    orders.userChanged();
    goods.ownCoupons();
  });
  if (closed) return askForOperator();
  startFunnel(status);
  startTopology(status);
  startOperations(status);
  startEvents(status);
}

start().catch((error) => say(`The page could not start: ${error.message}`, "error"));
