// What is unusual now, and what was: in words, for the list beside the alarms and for the marks in charts.
import { ask } from "./api.js";
import { element, keep, make, nextFrame, setText } from "./dom.js";
import { selection } from "./floor.js";
import { live } from "./live.js";
import { duration, quantity, text, value, when, word } from "./texts.js";

let timer = 0;

export function startAnomalies() {
  live.watch("alerts", (message) => {
    if (message.payload.name.startsWith("Anomaly")) later(250);
  });
  live.addEventListener("restored", () => later(0));
  refresh();
}

function later(pause) {
  clearTimeout(timer);
  timer = setTimeout(refresh, pause);
}

async function refresh() {
  try {
    const items = (await ask("/api/v1/anomalies")).items;
    nextFrame("anomalies", () => show(items));
  } catch {
    // Told beside the alarms already; the next alert or reconnection asks again.
  }
}

function show(items) {
  element("no-anomalies").hidden = items.length > 0;
  keep(
    element("anomaly-list"), items, (anomaly) => `${anomaly.number} ${anomaly.device}`,
    (anomaly) => make("li", {},
      make("button", {
        type: "button", class: "plain", on: { click: () => selection.choose(anomaly.device) },
      }, make("strong", {}, `${anomaly.device} ${anomaly.metric}`), make("span", {})),
      make("span", { class: "faint" })),
    (node, anomaly) => {
      setText(node.firstChild.lastChild, ` ${sentence(anomaly)}`);
      setText(node.lastChild, text("anomaly.since", { time: when(anomaly.started) }));
    });
}

/** "not seen before: 96 °C, expected 71.3 ± 0.8". `symbol` is the unit as people write it, where it is known. */
export function sentence(anomaly, symbol = anomaly.symbol ?? anomaly.unit) {
  const kind = word("anomaly", anomaly.kind);
  if (anomaly.kind === "silence" || anomaly.kind === "flat_line") {
    const tolerated = anomaly.tolerated_seconds;
    return tolerated ? text("anomaly.tolerated", { kind, time: duration(tolerated) }) : kind;
  }
  const facts = { kind, value: quantity(anomaly.value, symbol) };
  if (anomaly.expected === null) return text("anomaly.value", facts);
  if (anomaly.kind === "out_of_range") {
    return text("anomaly.limit", { ...facts, limit: quantity(anomaly.expected, symbol) });
  }
  return text("anomaly.expected", {
    ...facts, expected: value(anomaly.expected),
    scale: anomaly.scale === null ? "" : ` ± ${value(Number(anomaly.scale.toPrecision(2)))}`,
  });
}

/** Episodes of a device that began at or after `from`, the oldest first, as what `AnomalyStarted` told. */
export async function fetchAnomalies(device, from) {
  const query = new URLSearchParams({ device, from: new Date(from).toISOString(), limit: "500" });
  const { items } = await ask(`/api/v1/anomalies/journal?${query}`);
  return items.filter((item) => item.name === "AnomalyStarted").map((item) => item.properties).reverse();
}
