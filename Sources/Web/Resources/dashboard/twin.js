// The twin of the chosen device: what it reports, what is desired of it, and how the two differ.
import { sentence } from "./anomalies.js";
import { ask, key } from "./api.js";
import { device, isNewer } from "./device.js";
import { element, keep, make, nextFrame, setText } from "./dom.js";
import { selection } from "./floor.js";
import { live } from "./live.js";
import { prioritySign } from "./symbols.js";
import { quantity, text, when, word } from "./texts.js";
import { qualityClass, qualityText, timeText } from "./values.js";

let twin = null;
let timer = 0;

export function startTwin() {
  device.addEventListener("loaded", () => later(0));
  device.addEventListener("changed", () => later(300));
  device.addEventListener("sample", (event) => take(event.detail));
  live.watch("alerts", ({ payload }) => {
    if (payload.device === device.id) later(300);
  });
  if (device.id) later(0);
}

function later(pause) {
  clearTimeout(timer);
  timer = setTimeout(read, pause);
}

async function read() {
  const id = device.id;
  try {
    const answer = await ask(`/api/v1/industry40/twin/${encodeURIComponent(id)}`);
    if (device.id !== id) return;
    twin = answer;
    setText(element("twin-problem"), "");
    nextFrame("twin", show);
  } catch (error) {
    setText(element("twin-problem"), error.message);
  }
}

function take({ metric, value: content, quality, time }) {
  if (!twin || twin.device_id !== device.id) return;
  const known = twin.reported[metric];
  if (!known || !isNewer(time, known.time)) return;
  Object.assign(known, { value: content, quality, time });
  nextFrame("twin-rows", showRows);
}

function show() {
  setText(element("twin-name"), twin.device_id);
  setText(element("twin-place"), [twin.asset, twin.profile].filter(Boolean).join(" · "));
  // A link cannot bring a key along.
  element("twin-raw").hidden = key() !== null;
  element("twin-raw").href = `/api/v1/industry40/twin/${encodeURIComponent(twin.device_id)}`;
  showRows();
  showAlerts();
  keep(element("neighbours"), twin.links.neighbours, (id) => id, (id) =>
    make("li", {}, make("button", {
      type: "button", class: "plain", on: { click: () => selection.choose(id) },
    }, id)), () => {});
  element("neighbours-title").hidden = twin.links.neighbours.length === 0;
  setText(element("users"), twin.links.users.length > 0
    ? text("twin.users", { names: twin.links.users.join(", ") }) : "");
}

/** Every property that is reported or desired, in the order of the device. */
function showRows() {
  const names = [...Object.keys(twin.reported)];
  for (const name of Object.keys(twin.desired)) if (!names.includes(name)) names.push(name);
  const hasDesires = Object.keys(twin.desired).length > 0;
  element("twin-table").classList.toggle("plain-twin", !hasDesires);
  keep(element("twin-rows"), names.map((name) => ({ name })), ({ name }) => `${twin.device_id}/${name}`,
    ({ name }) => make("tr", {}, make("th", { scope: "row" }, name),
      make("td", { class: "number" }), make("td", { class: "desire" }), make("td", {}),
      make("td", { class: "number" })),
    updateRow);
}

function updateRow(node, { name }) {
  const reported = twin.reported[name];
  const desired = twin.desired[name];
  const [, now, desire, quality, time] = node.children;
  setText(now, reportedText(name, reported));
  const words = desired ? desireText(name, desired) : "";
  setText(desire, words);
  desire.classList.toggle("differs", name in twin.delta);
  setText(quality, qualityText(reported?.quality));
  quality.className = qualityClass(reported?.quality);
  setText(time, timeText(reported?.time));
}

function reportedText(name, reported) {
  if (!reported) return "–";
  if (typeof reported.value === "string" && device.series.get(name)?.kind === "state") {
    return word("state", reported.value);
  }
  return quantity(reported.value, device.symbol(name) || reported.unit);
}

function desireText(name, desired) {
  const status = desired.expired ? "expired" : desired.status;
  const by = desired.by ? ` · ${desired.by}` : "";
  return `${quantity(desired.value, device.symbol(name) || desired.unit)} · ${word("desire", status)}${by}`;
}

function showAlerts() {
  const alerts = [
    ...twin.alarms.map((alarm) => ({
      key: alarm.alarm, sign: alarm.priority,
      words: `${word("priority", alarm.priority)}: ${alarm.text} (${word("alarm-state", alarm.state)}, ${when(alarm.since)})`,
    })),
    ...twin.anomalies.map((anomaly) => ({
      key: `anomaly ${anomaly.number}`, sign: null,
      words: `${anomaly.metric}: ${sentence(anomaly, device.symbol(anomaly.metric))}`,
    })),
  ];
  keep(element("twin-alerts"), alerts, (alert) => alert.key, ({ sign }) =>
    make("li", {}, sign ? prioritySign(sign) : make("span", { class: "anomaly-sign", "aria-hidden": "true" }, "~"),
      make("span", {})), (node, { words }) => setText(node.lastChild, words));
  element("no-twin-alerts").hidden = alerts.length > 0;
}
