// One small chart a signal of the chosen device, with the anomalies of the time marked.
import { fetchAnomalies } from "./anomalies.js";
import { ask, now } from "./api.js";
import { Chart, loadDygraph } from "./chart.js";
import { device } from "./device.js";
import { element, nextFrame } from "./dom.js";
import { floor } from "./floor.js";
import { live } from "./live.js";
import { text } from "./texts.js";

const storageName = "millwright-span";
/** Read anew now and then, so that what came live is thinned out like the rest. */
const refreshEvery = 120_000;
/** Steps that divide the hour, in seconds. */
const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];

let span = sessionStorage.getItem(storageName) ?? "hour";
let charts = new Map();
let asked = null;

export async function startCharts() {
  const ready = await loadDygraph();
  element("no-dygraph").hidden = ready;
  for (const button of element("spans").querySelectorAll("button")) {
    button.addEventListener("click", () => choose(button.dataset.span));
  }
  markSpan();
  if (!ready) return;
  device.addEventListener("loaded", build);
  device.addEventListener("sample", (event) => take(event.detail));
  live.watch("alerts", ({ payload }) => {
    if (payload.name.startsWith("Anomaly") && payload.device === device.id) setTimeout(mark, 300);
  });
  setInterval(() => {
    if (!document.hidden) build();
  }, refreshEvery);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", build);
  if (device.id) build();
}

function choose(name) {
  span = name;
  sessionStorage.setItem(storageName, name);
  markSpan();
  build();
}

function markSpan() {
  for (const button of element("spans").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.dataset.span === span));
  }
}

/** In ms; the shift is that of the device's machine, the last eight hours without one. */
function bounds() {
  const to = now();
  const machine = floor.machines.find((machine) => machine.device === device.id);
  if (span === "shift") {
    return { from: machine?.shift ? Date.parse(machine.shift.from) : to - 8 * 3_600_000, to };
  }
  return { from: to - (span === "day" ? 86_400_000 : 3_600_000), to };
}

async function build() {
  if (!device.id) return;
  asked?.abort();
  const asking = new AbortController();
  asked = asking;
  // Gauges first: they tell how it works, counters how much.
  const shown = [...device.series.values()].filter((series) => series.type === "number")
    .sort((a, b) => (a.kind === "counter") - (b.kind === "counter"));
  element("no-signals").hidden = shown.length > 0;
  arrange(shown);
  const { from, to } = bounds();
  const width = [...charts.values()][0]?.width ?? 400;
  const step = steps.find((step) => (to - from) / 1000 / step <= width) ?? 3600;
  const query = new URLSearchParams({
    match: `${device.id}/*`, from: new Date(from).toISOString(), to: new Date(to).toISOString(),
    step: `${step}s`, agg: "count,min,mean,max,increase", epoch: "ms",
  });
  try {
    const [answer, episodes] = await Promise.all([
      ask(`/api/v1/query?${query}`, { signal: asking.signal }),
      fetchAnomalies(device.id, from).catch(() => []),
    ]);
    if (asked !== asking) return;
    element("charts-problem").textContent = "";
    nextFrame("charts", () => {
      for (const { metric, columns } of answer.series) {
        charts.get(metric)?.show(columns, { from, to, step });
      }
      showMarks(episodes);
    });
  } catch (error) {
    if (error.name !== "AbortError") {
      element("charts-problem").textContent = text("problem.charts", { detail: error.message });
    }
  }
}

/** A place for each signal, before its data is there, so that nothing moves when it comes. */
function arrange(shown) {
  const wanted = shown.map((series) => `${device.id}/${series.metric}`);
  const present = [...charts.values()].map((chart) => chart.name);
  if (wanted.join("\n") === present.join("\n")) return;
  for (const chart of charts.values()) chart.remove();
  charts = new Map(shown.map((series) => [
    series.metric, new Chart(`${device.id}/${series.metric}`, series),
  ]));
  element("charts").replaceChildren(...[...charts.values()].map((chart) => chart.node));
}

function take(sample) {
  const chart = charts.get(sample.metric);
  if (!chart) return;
  chart.append(sample);
  nextFrame(`chart ${sample.metric}`, () => chart.redraw());
}

async function mark() {
  const { from } = bounds();
  showMarks(await fetchAnomalies(device.id, from).catch(() => []));
}

function showMarks(episodes) {
  for (const [metric, chart] of charts) {
    chart.mark(episodes.filter((episode) => episode.metric === metric));
  }
}
