// What operators look after: deliveries that were given up, and alerts.
import { every, get, sendAsOperator } from "./api.js";
import {
  byId,
  formatTime,
  h,
  keepList,
  plain,
  say,
  setAttribute,
  setHidden,
  setText,
  shortId,
} from "./dom.js";

async function act(id, verb, refresh) {
  try {
    await sendAsOperator("POST", `/dlq/${encodeURIComponent(id)}/${verb}`);
    say(verb === "retry" ? "It is being sent again." : "Discarded.");
    refresh();
  } catch (error) {
    say(error.message, "error");
  }
}

function letterRow(refresh) {
  return (letter) => {
    const what = h("td", { class: "what" });
    const error = h("td", { class: "error" });
    const attempts = h("td", { class: "number", title: "Attempts" });
    const time = h("td", { class: "number" });
    const buttons = ["retry", "discard"].map((verb) =>
      h(
        "button",
        {
          onclick: () => act(letter.id, verb, refresh),
          "aria-label": `${plain(verb)} ${letter.id}`,
        },
        verb === "retry" ? "Run again" : "Discard",
      ),
    );
    return {
      element: h(
        "tr",
        { "data-id": letter.id },
        time,
        what,
        attempts,
        error,
        h("td", { class: "actions" }, ...buttons),
      ),
      update(item) {
        setText(time, formatTime(item.updatedAt));
        setText(what, `${item.source ?? ""} ${shortId(item.orderId ?? item.id)}`.trim());
        setAttribute(what, "title", item.id);
        setText(attempts, item.attempts);
        setText(error, item.lastError ?? "");
        setAttribute(error, "title", item.lastError ?? "");
      },
    };
  };
}

function alertRow(item) {
  const alert = item.value ?? {};
  return {
    element: h(
      "li",
      { class: "bad" },
      h("time", {}, formatTime(alert.at ?? item.timestamp)),
      h("span", { class: "name" }, alert.source ?? ""),
      h("span", { class: "muted" }, alert.reason ?? ""),
    ),
    update() {},
  };
}

export function startOperations(status) {
  const letters = every(
    2000,
    async () => {
      const items = await get("/dlq?limit=50");
      keepList(
        byId("letters"),
        items,
        (letter) => letter.id,
        letterRow(() => letters.now()),
      );
      setHidden(byId("letters-table"), items.length === 0);
      setHidden(byId("no-letters"), items.length > 0);
      setText(byId("letters-count"), items.length || "");
    },
    status.failed,
  );

  every(
    5000,
    async () => {
      const page = await get("/v1/topics/admin-alerts/records?offset=-5&limit=15");
      const newest = page.items.sort((a, b) => b.timestamp - a.timestamp).slice(0, 5);
      keepList(byId("alerts"), newest, (item) => `${item.partition}:${item.offset}`, alertRow);
      setHidden(byId("alerts-box"), newest.length === 0);
    },
    status.failed,
  );
}
