// The applications and the topics between them, with what flows where and what waits. The layout is
// made once for a plan; after that only numbers change.
import { graphlib, layout } from "./dagre.js";
import { every, get } from "./api.js";
import { byId, formatRate, formatShort, h, s, setAttribute, setText } from "./dom.js";
import { Rates } from "./series.js";

const kLine = 16;
const kFont = 11.5;
const kLeastScale = 0.75;

/** "orders-12" -> ["orders", 12]. */
function partitionOf(name) {
  const dash = name.lastIndexOf("-");
  return [name.slice(0, dash), Number(name.slice(dash + 1))];
}

// --- Plans as graphs: nodes {id, kind, title, lines, parent}, edges {from, to, topics} ---------

/** Internal topics go by their names without the application's in a plan. */
function topicsOf(plan, known) {
  return (topic) =>
    known.has(`${plan.application}-${topic}`) ? `${plan.application}-${topic}` : topic;
}

function overview(plans, known) {
  const topics = new Map();
  const touch = (topic, application, way) => {
    if (!topics.has(topic)) topics.set(topic, { readers: new Set(), writers: new Set() });
    topics.get(topic)[way].add(application);
  };
  const nodes = plans.map((plan) => ({
    id: plan.application,
    kind: "application",
    title: plan.application,
    lines: [],
    application: plan.application,
  }));
  for (const plan of plans) {
    for (const { nodes: parts } of plan.topology.subtopologies) {
      for (const node of parts) {
        if (node.type === "source")
          node.topics.forEach((t) => touch(t, plan.application, "readers"));
        if (node.type === "sink") node.topics.forEach((t) => touch(t, plan.application, "writers"));
      }
    }
  }
  // Topics between the same applications share a box; what is an application's own is inside it.
  const boxes = new Map();
  for (const [topic, { readers, writers }] of topics) {
    const all = new Set([...readers, ...writers]);
    const own = all.size === 1 && readers.size === 1 && writers.size === 1;
    if (own || topic.endsWith(".dlq") || !known.has(topic)) continue;
    const key = `${[...writers].sort().join()}>${[...readers].sort().join()}`;
    if (!boxes.has(key)) boxes.set(key, { readers, writers, topics: [] });
    boxes.get(key).topics.push(topic);
  }
  const edges = [];
  for (const [key, box] of boxes) {
    nodes.push({ id: key, kind: "topics", lines: box.topics.sort().map((topic) => ({ topic })) });
    box.writers.forEach((from) => edges.push({ from, to: key, topics: box.topics }));
    box.readers.forEach((to) => edges.push({ from: key, to, topics: box.topics }));
  }
  return { nodes, edges, direction: "LR" };
}

function detail(plan, known) {
  const real = topicsOf(plan, known);
  const nodes = [];
  const edges = [];
  const seen = new Set();
  const addOnce = (node) => {
    if (!seen.has(node.id)) nodes.push(node);
    seen.add(node.id);
  };
  for (const { id, nodes: parts } of plan.topology.subtopologies) {
    const group = `group ${id}`;
    nodes.push({
      id: group,
      kind: "group",
      title: `tasks ${id}_*`,
      lines: [],
      group: id,
      application: plan.application,
    });
    for (const node of parts) {
      const name = `${id} ${node.name}`;
      if (node.type === "processor") {
        nodes.push({ id: name, kind: "processor", title: node.name, lines: [], parent: group });
        for (const store of node.stores) {
          addOnce({ id: `store ${store}`, kind: "store", title: store, lines: [], parent: group });
          edges.push({ from: name, to: `store ${store}`, topics: [], kind: "state" });
        }
      }
      for (const topic of (node.topics ?? []).map(real)) {
        addOnce({ id: `topic ${topic}`, kind: "topics", lines: [{ topic }] });
        if (node.type === "source") {
          node.successors.forEach((to) =>
            edges.push({ from: `topic ${topic}`, to: `${id} ${to}`, topics: [topic] }),
          );
        } else if (node.type === "sink") {
          node.predecessors.forEach((from) =>
            edges.push({ from: `${id} ${from}`, to: `topic ${topic}`, topics: [topic] }),
          );
        }
      }
    }
    const byName = new Map(parts.map((node) => [node.name, node]));
    for (const node of parts) {
      if (node.type !== "processor") continue;
      node.successors
        .filter((to) => byName.get(to).type === "processor")
        .forEach((to) => edges.push({ from: `${id} ${node.name}`, to: `${id} ${to}`, topics: [] }));
    }
  }
  // A source that feeds a sink has no processor between: it is left out with both its ends.
  const there = new Set(nodes.map((node) => node.id));
  return {
    nodes,
    edges: edges.filter((edge) => there.has(edge.from) && there.has(edge.to)),
    direction: "LR",
  };
}

// --- Drawing ----------------------------------------------------------------------------------

const ruler = document.createElement("canvas").getContext("2d");

function widthOf(text, weight) {
  ruler.font = `${weight} ${kFont}px ${getComputedStyle(document.body).fontFamily}`;
  return ruler.measureText(text).width;
}

function sizeOf(node) {
  const widths = node.lines.map((line) => widthOf(`${line.topic}  0,000.0/s`, 400));
  if (node.title) widths.push(widthOf(node.title, 600));
  if (node.kind === "application") widths.push(widthOf("00.00K/s · 00.00K waiting", 400));
  const rows = node.lines.length + (node.title ? 1 : 0) + (node.kind === "application" ? 1 : 0);
  return { width: Math.max(...widths) + 24, height: rows * kLine + 12 };
}

function curve(points) {
  let path = `M${points[0].x},${points[0].y}`;
  for (let i = 1; i + 1 < points.length; ++i) {
    const last = i + 2 === points.length;
    const x = last ? points[i + 1].x : (points[i].x + points[i + 1].x) / 2;
    const y = last ? points[i + 1].y : (points[i].y + points[i + 1].y) / 2;
    path += ` Q${points[i].x},${points[i].y} ${x},${y}`;
  }
  return points.length < 3 ? `${path} L${points[1].x},${points[1].y}` : path;
}

function drawNode(node, at, select) {
  const left = at.x - at.width / 2;
  const top = at.y - at.height / 2;
  const group = s("g", { class: `node ${node.kind}`, transform: `translate(${left},${top})` });
  group.append(
    s("rect", { width: at.width, height: at.height, rx: node.kind === "store" ? 12 : 5 }),
  );
  let y = 18;
  if (node.title) {
    group.append(s("text", { x: 11, y, class: "title" }, node.title));
    y += kLine;
  }
  const numbers = { node, group };
  if (node.kind === "application" || node.kind === "group") {
    numbers.state = s("text", {
      x: node.kind === "group" ? at.width - 11 : 11,
      y: node.kind === "group" ? 18 : y,
      class: "number",
      "text-anchor": node.kind === "group" ? "end" : "start",
    });
    group.append(numbers.state);
  }
  numbers.topics = node.lines.map(({ topic }) => {
    const rate = s("text", { x: at.width - 11, y, class: "number", "text-anchor": "end" });
    group.append(s("text", { x: 11, y }, topic), rate);
    y += kLine;
    return { topic, rate };
  });
  if (node.kind === "application") {
    group.setAttribute("tabindex", 0);
    group.setAttribute("role", "button");
    group.setAttribute("aria-label", `Show the plan of ${node.title}`);
    group.addEventListener("click", () => select(node.application));
    group.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      select(node.application);
    });
  }
  return numbers;
}

function draw(host, graph, select) {
  const plan = new graphlib.Graph({ compound: true, multigraph: true });
  plan.setGraph({
    rankdir: graph.direction,
    nodesep: graph.nodes.some((node) => node.kind === "group") ? 26 : 14,
    ranksep: 46,
    edgesep: 8,
    marginx: 8,
    marginy: 8,
  });
  plan.setDefaultEdgeLabel(() => ({}));
  for (const node of graph.nodes) plan.setNode(node.id, node.kind === "group" ? {} : sizeOf(node));
  for (const node of graph.nodes) if (node.parent) plan.setParent(node.id, node.parent);
  graph.edges.forEach((edge, i) => plan.setEdge(edge.from, edge.to, {}, `e${i}`));
  layout(plan);

  const { width, height } = plan.graph();
  const svg = s("svg", {
    viewBox: `0 0 ${Math.ceil(width)} ${Math.ceil(height)}`,
    role: "group",
    "aria-label": "Applications and the topics between them",
  });
  // Shrinks a little to fit; what is still too wide scrolls.
  svg.style.width = `${Math.ceil(width)}px`;
  svg.style.minWidth = `${Math.ceil(width * kLeastScale)}px`;
  svg.append(
    s(
      "defs",
      {},
      s(
        "marker",
        {
          id: "arrow",
          viewBox: "0 0 8 8",
          refX: 7,
          refY: 4,
          markerWidth: 6,
          markerHeight: 6,
          orient: "auto",
          markerUnits: "userSpaceOnUse",
        },
        s("path", { d: "M0,0.8 L7,4 L0,7.2 z" }),
      ),
    ),
  );
  const groups = graph.nodes.filter((node) => node.kind === "group");
  const others = graph.nodes.filter((node) => node.kind !== "group");
  const shown = groups.map((node) => {
    const at = plan.node(node.id);
    return drawNode(
      node,
      { x: at.x, y: at.y - 8, width: at.width, height: at.height + 16 },
      select,
    );
  });
  shown.forEach((numbers) => svg.append(numbers.group));
  const edges = graph.edges.map((edge, i) => {
    const { points } = plan.edge(edge.from, edge.to, `e${i}`);
    const path = s("path", {
      d: curve(points),
      class: `edge ${edge.kind ?? ""}`,
      "marker-end": "url(#arrow)",
    });
    svg.append(path);
    return { edge, path };
  });
  others.forEach((node) => {
    const numbers = drawNode(node, plan.node(node.id), select);
    shown.push(numbers);
    svg.append(numbers.group);
  });
  host.replaceChildren(svg);
  // What a plan begins with is at the left, though not always at the top.
  const first = others.map((node) => plan.node(node.id)).reduce((a, b) => (b.x < a.x ? b : a));
  const showBeginning = () => {
    const scale = svg.clientWidth / width;
    host.scrollTo(0, first.y * scale - host.clientHeight / 2);
  };
  return { shown, edges, showBeginning };
}

// --- Numbers ----------------------------------------------------------------------------------

/** Rates of topics and tasks, and how many records wait for each. */
class Flow {
  constructor() {
    this.rates = new Rates();
    this.topics = new Map();
    this.groups = new Map();
  }
  take(topics, tasks, seconds) {
    const ends = new Map();
    for (const topic of topics) {
      let total = 0;
      for (const { partition, end } of topic.partitions) {
        ends.set(`${topic.name}-${partition}`, end);
        total += end;
      }
      this.topics.set(topic.name, this.rates.of(`topic ${topic.name}`, total, seconds) ?? 0);
    }
    const groups = new Map();
    const add = (key, processed, lag) => {
      const group = groups.get(key) ?? { processed: 0, lag: 0 };
      group.processed += processed;
      group.lag += lag;
      groups.set(key, group);
    };
    for (const task of tasks) {
      let lag = 0;
      for (const [name, position] of Object.entries(task.positions)) {
        lag += Math.max(0, (ends.get(name) ?? position) - position);
      }
      add(task.application, task.processed, lag);
      add(`${task.application} ${partitionOf(task.id.replace("_", "-"))[0]}`, task.processed, lag);
    }
    for (const [key, { processed, lag }] of groups) {
      this.groups.set(key, { rate: this.rates.of(`group ${key}`, processed, seconds) ?? 0, lag });
    }
  }
  show({ shown, edges }) {
    for (const { node, state, topics } of shown) {
      for (const { topic, rate } of topics)
        setText(rate, `${formatRate(this.topics.get(topic) ?? 0)}/s`);
      if (!state) continue;
      const key = node.kind === "group" ? `${node.application} ${node.group}` : node.application;
      const { rate, lag } = this.groups.get(key) ?? { rate: 0, lag: 0 };
      setText(state, `${formatRate(rate)}/s · ${formatShort(lag)} waiting`);
      setAttribute(state, "class", lag > 10_000 ? "number behind" : "number");
    }
    for (const { edge, path } of edges) {
      const rate = Math.max(0, ...edge.topics.map((topic) => this.topics.get(topic) ?? 0));
      const width = rate > 0 ? (1.2 + Math.log10(1 + rate) * 0.6).toFixed(1) : "1";
      setAttribute(path, "class", `edge ${edge.kind ?? ""} ${rate > 0 ? "flows" : ""}`.trim());
      setAttribute(path, "stroke-width", width);
    }
  }
}

export function startTopology(status) {
  const flow = new Flow();
  const select = byId("topology-select");
  let plans = null;
  let known = new Set();
  let drawn = null;
  let drawnFor = "";

  const redraw = () => {
    const graph = select.value
      ? detail(
          plans.find((plan) => plan.application === select.value),
          known,
        )
      : overview(plans, known);
    drawn = draw(byId("topology"), graph, (application) => {
      select.value = application;
      redraw();
    });
    drawn.showBeginning();
    flow.show(drawn);
  };
  select.addEventListener("change", () => plans && redraw());

  every(
    3000,
    async () => {
      const [topics, tasks] = await Promise.all([get("/v1/topics"), get("/v1/tasks")]);
      flow.take(topics.items, tasks.items, performance.now() / 1000);
      const names = topics.items.map((topic) => topic.name).join();
      if (names !== drawnFor) {
        plans = (await get("/v1/topology")).items;
        known = new Set(topics.items.map((topic) => topic.name));
        drawnFor = names;
        const chosen = select.value;
        select.replaceChildren(
          h("option", { value: "" }, "All applications"),
          ...plans.map((plan) => h("option", { value: plan.application }, plan.application)),
        );
        select.value = plans.some((plan) => plan.application === chosen) ? chosen : "";
        redraw();
      }
      flow.show(drawn);
    },
    status.failed,
  );
}
