// Lines over time, drawn by uPlot in the colours of the page.
import uPlot from "./uplot.js";
import { formatShort, formatTime } from "./dom.js";

const kLeastSpan = 60;

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/**
 * A chart in `host`. `lines`: [{label, color, fill, stepped}], where colors are names of custom
 * properties of the style sheet. Returns {show(data)}.
 */
export function lineChart(host, lines, { span = 300, format = formatShort } = {}) {
  let plot = null;
  let data = [[], ...lines.map(() => [])];

  // What there is, from a minute on, up to the whole span.
  const timeRange = (self, first, last) => {
    const end = last ?? Date.now() / 1000;
    return [Math.max(end - span, Math.min(first ?? end, end - kLeastSpan)), end];
  };

  const options = (width, height) => ({
    width,
    height,
    padding: [8, 16, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { size: 6 } },
    scales: {
      x: { range: timeRange },
      y: { range: (self, from, to) => [0, Math.max(1, (to ?? 1) * 1.1)] },
    },
    axes: [
      {
        stroke: style("--muted"),
        grid: { show: false },
        ticks: { show: false },
        size: 26,
        space: 90,
        values: (self, ticks, axis, space, step) =>
          ticks.map((tick) => formatTime(tick * 1000).slice(0, step < 60 ? 8 : 5)),
      },
      {
        stroke: style("--muted"),
        grid: { stroke: style("--line"), width: 1 },
        ticks: { show: false },
        size: 46,
        space: 34,
        values: (self, ticks) => ticks.map((tick) => (tick % 1 ? "" : format(tick))),
      },
    ],
    series: [
      {},
      ...lines.map((line) => ({
        label: line.label,
        stroke: style(line.color),
        width: 1.75,
        fill: line.fill ? `color-mix(in srgb, ${style(line.color)} 14%, transparent)` : undefined,
        points: { show: false },
        paths: line.stepped ? uPlot.paths.stepped({ align: 1 }) : undefined,
      })),
    ],
    hooks: { setCursor: [(self) => tell(self.cursor.idx)] },
  });

  // The numbers beside the lines: those under the pointer, else the newest.
  const legend = document.createElement("div");
  legend.className = "legend";
  const values = lines.map((line) => {
    const item = document.createElement("span");
    const dot = document.createElement("i");
    dot.style.background = `var(${line.color})`;
    const number = document.createElement("b");
    item.append(dot, `${line.label} `, number);
    legend.append(item);
    return number;
  });
  const box = document.createElement("div");
  box.className = "plot";
  host.append(legend, box);
  function tell(at) {
    const index = at ?? data[0].length - 1;
    values.forEach((element, i) => {
      const value = data[i + 1][index];
      const text = value === undefined || value === null ? "–" : format(value);
      if (element.textContent !== text) element.textContent = text;
    });
  }

  function make() {
    plot?.destroy();
    plot = null;
    if (box.clientWidth < 50) return;
    plot = new uPlot(options(box.clientWidth, box.clientHeight), data, box);
  }
  new ResizeObserver(() => {
    if (!plot) make();
    else if (plot.width !== box.clientWidth || plot.height !== box.clientHeight) {
      plot.setSize({ width: box.clientWidth, height: box.clientHeight });
    }
  }).observe(box);
  document.addEventListener("themechange", make);

  return {
    show(next) {
      data = next;
      if (plot) plot.setData(data);
      if (!plot || plot.cursor.idx === null || plot.cursor.idx === undefined) tell(null);
    },
  };
}
