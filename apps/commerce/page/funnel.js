// Orders: how many, how fast, how far they get.
import { every, get } from "./api.js";
import { lineChart } from "./charts.js";
import {
  byId,
  formatCount,
  formatMoneyShort,
  formatRate,
  formatShort,
  h,
  keepList,
  plain,
  setCount,
  setHidden,
  setText,
  setWidth,
} from "./dom.js";
import { Rates, Series } from "./series.js";

const kSteps = [
  ["ORDER_CREATED", "Created"],
  ["INVENTORY_DEDUCTED", "Stock reserved"],
  ["PAYMENT_COMPLETED", "Paid"],
  ["SHIPMENT_CREATED", "Shipped"],
  ["ORDER_COMPLETED", "Completed"],
];

function bar(kind) {
  return (item) => {
    const name = h("span", { class: "name" });
    const fill = h("i", { class: kind });
    const count = h("span", { class: "number" });
    const share = h("span", { class: "number muted share" });
    return {
      element: h("li", {}, name, h("span", { class: "track" }, fill), count, share),
      update({ label, orders, of }) {
        setText(name, label);
        setText(count, formatCount(orders));
        setText(share, of ? `${((100 * orders) / of).toFixed(1)} %` : "–");
        setWidth(fill, of ? orders / of : 0);
      },
    };
  };
}

export function startFunnel(status) {
  const chart = lineChart(
    byId("orders-chart"),
    [
      { label: "created", color: "--accent", fill: true },
      { label: "completed", color: "--good" },
      { label: "cancelled", color: "--bad" },
    ],
    { format: formatRate },
  );
  const series = new Series(3);
  const rates = new Rates();

  every(
    1000,
    async () => {
      const funnel = await get("/analytics/funnel");
      const now = performance.timeOrigin / 1000 + performance.now() / 1000;
      status.answered();
      const created = rates.of("created", funnel.created, now);
      const completed = rates.of("completed", funnel.completed, now);
      const cancelled = rates.of("cancelled", funnel.cancelled, now);
      if (created !== null) series.add(now, created, completed ?? 0, cancelled ?? 0);
      chart.show(series.data);
      setText(byId("tile-rate"), created === null ? "–" : formatRate(created));
      setCount(byId("tile-created"), funnel.created, formatShort);
      setCount(byId("tile-open"), funnel.open, formatShort);
      setCount(byId("tile-completed"), funnel.completed, formatShort);
      setCount(byId("tile-cancelled"), funnel.cancelled, formatShort);
      keepList(
        byId("funnel-steps"),
        kSteps.map(([step, label]) => ({
          step,
          label,
          orders: funnel.steps[step] ?? 0,
          of: funnel.created,
        })),
        (item) => item.step,
        bar("accent"),
      );
      setHidden(byId("h-reasons"), funnel.cancelled === 0);
      keepList(
        byId("funnel-reasons"),
        Object.entries(funnel.cancellations)
          .sort((a, b) => b[1] - a[1])
          .map(([reason, orders]) => ({
            reason,
            label: plain(reason),
            orders,
            of: funnel.created,
          })),
        (item) => item.reason,
        bar("bad"),
      );
    },
    status.failed,
  );

  every(
    3000,
    async () => {
      const sales = await get("/analytics/sales");
      setText(
        byId("tile-revenue"),
        formatMoneyShort(sales.reduce((sum, hour) => sum + hour.amount, 0)),
      );
    },
    status.failed,
  );
}
