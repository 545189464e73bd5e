// The table of latest values: read while it is open, kept up to date by the WebSocket.
import { ask } from "./api.js";
import { isNewer } from "./device.js";
import { element, keep, make, nextFrame, setText } from "./dom.js";
import { live } from "./live.js";
import { clockSeconds, text, unit, value, when, word } from "./texts.js";

const rowsMost = 200;
let rows = new Map();
let unwatch = null;
let typing = 0;

export function startValues() {
  const panel = element("values");
  panel.addEventListener("toggle", () => (panel.open ? read() : stop()));
  element("match").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(read, 400);
  });
  live.addEventListener("restored", () => {
    if (panel.open) read();
  });
}

function stop() {
  unwatch?.();
  unwatch = null;
}

async function read() {
  const match = element("match").value.trim();
  const query = new URLSearchParams({ limit: String(rowsMost) });
  if (match) query.set("match", match);
  try {
    const { items, next_cursor: more } = await ask(`/api/v1/series?${query}`);
    rows = new Map(items.map((item) => [`${item.device}/${item.metric}`, item]));
    setText(element("values-count"), more
      ? text("values.first", { count: items.length }) : text("values.count", { count: items.length }));
    setText(element("values-problem"), "");
  } catch (error) {
    setText(element("values-problem"), error.message);
    return;
  }
  nextFrame("values", show);
  stop();
  if (element("values").open) unwatch = live.watch(`series:${match || "**"}`, take);
}

function take({ time, payload }) {
  const row = rows.get(`${payload.device}/${payload.metric}`);
  if (!row || !isNewer(time, row.latest?.time)) return;
  row.latest = { time, value: payload.value, quality: payload.quality };
  nextFrame("values", show);
}

function show() {
  keep(element("value-rows"), [...rows.values()], (row) => `${row.device}/${row.metric}`, makeRow, updateRow);
}

function makeRow(row) {
  return make("tr", {},
    make("th", { scope: "row" }, row.device), make("td", {}, row.metric),
    make("td", { class: "number" }), make("td", {}, unit(row.symbol ?? row.unit)),
    make("td", {}), make("td", { class: "number" }));
}

function updateRow(node, row) {
  const latest = row.latest ?? { value: null, quality: "", time: "" };
  const [, , content, , quality, time] = node.children;
  setText(content, value(latest.value));
  setText(quality, qualityText(latest.quality));
  quality.className = qualityClass(latest.quality);
  setText(time, timeText(latest.time));
}

/** Nothing for good: only what is doubtful is worth a word. */
export function qualityText(quality) {
  if (!quality) return "";
  const [severity, reasons] = quality.split(" (");
  const words = reasons?.replace(")", "").split(", ").map((reason) => word("quality", reason)) ?? [];
  return [word("quality", severity), ...words].join(", ");
}

export const qualityClass = (quality) => {
  const severity = (quality ?? "").split(" ")[0];
  return severity === "bad" || severity === "uncertain" ? `quality ${severity}` : "quality";
};

/** To the second today, else with the date. */
export function timeText(moment) {
  if (!moment) return "–";
  return new Date(moment).toDateString() === new Date().toDateString()
    ? clockSeconds(moment) : when(moment);
}
