// Signs that say the same as the words and colours beside them: states, priorities, and fillings for the timeline.
import { draw } from "./dom.js";

/** The states of docs/oee.md, in the order of legends; each a path in a square of 16. */
const stateShapes = {
  running: "M5 3l8 5-8 5z",
  idle: "M4 3h3v10H4zM9 3h3v10H9z",
  setup: "M2.5 12 8 6.5A3.4 3.4 0 0 1 12.3 2.7L10.3 4.7 11.3 5.7 13.3 3.7A3.4 3.4 0 0 1 9.5 8L4 13.5z",
  starved: "M2 3h2v10H2zM6 7h4V4l4 4-4 4V9H6z",
  blocked: "M2 7h4V4l4 4-4 4V9H2zM12 3h2v10h-2z",
  unplanned_stop: "M7 2h2v8H7zM7 12h2v2H7z",
  unknown: "M5 6a3 3 0 1 1 4.5 2.6c-.9.5-.9.9-.9 1.9H7.2c0-1.6.2-2.2 1.4-2.9A1.5 1.5 0 1 0 6.4 6zM7.1 12h1.6v1.6H7.1z",
  planned_stop: "M4 4h8v8H4z",
  break: "M3 4h8v1h2v4h-2v1a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2z",
  not_scheduled: "M3 7h10v2H3z",
};

export const states = Object.keys(stateShapes);

/** States that need somebody; all others stay grey. */
export const isTrouble = (state) => state === "unplanned_stop" || state === "unknown";

export function statePath(state) {
  return draw("path", { d: stateShapes[state] ?? stateShapes.unknown, class: "sign" });
}

/** A decoration: the word always stands beside it. */
export function stateSign(state) {
  return draw(
    "svg", { viewBox: "0 0 16 16", class: `state-sign ${state}`, "aria-hidden": "true" },
    statePath(state));
}

/** Shape and digit as on a panel: the more urgent, the more corners count. */
const priorityShapes = {
  critical: ["M2 2h16v16H2z", "1"],
  high: ["M10 1l9.5 17h-19z", "2"],
  medium: ["M10 .5l9.5 9.5-9.5 9.5L.5 10z", "3"],
  low: ["M10 1a9 9 0 1 0 .01 0z", "4"],
  journal: ["M10 1a9 9 0 1 0 .01 0z", ""],
};

export function prioritySign(priority) {
  const [path, digit] = priorityShapes[priority] ?? priorityShapes.journal;
  const label = draw("text", { x: 10, y: priority === "high" ? 16 : 14.5, "text-anchor": "middle" });
  label.textContent = digit;
  return draw(
    "svg", { viewBox: "0 0 20 20", class: `priority-sign ${priority}`, "aria-hidden": "true" },
    draw("path", { d: path }), label);
}

const fillings = {
  running: [],
  idle: ["M2 2h2v2H2zM6 6h2v2H6z"],
  setup: ["M-1 5L5-1M-1 9L9-1M3 9l6-6"],
  starved: ["M2 0v8M6 0v8"],
  blocked: ["M0 2h8M0 6h8"],
  unplanned_stop: ["M-1 3l6 6M-1-1l10 10M3-1l6 6"],
  unknown: ["M2 2h1v1H2zM6 6h1v1H6z", "M0 0l8 8"],
  planned_stop: ["M0 4h8M4 0v8"],
  break: ["M0 4h8"],
  not_scheduled: [],
};

/** The fillings, once for the whole page; `filling(state)` refers to them. */
export function addFillings() {
  const patterns = Object.entries(fillings).map(([state, paths]) =>
    draw(
      "pattern",
      { id: `filling-${state}`, width: 8, height: 8, patternUnits: "userSpaceOnUse" },
      draw("rect", { width: 8, height: 8, class: `ground ${state}` }),
      ...paths.map((d) => draw("path", { d, class: `figure ${state}` }))));
  document.body.append(
    draw("svg", { width: 0, height: 0, class: "fillings", "aria-hidden": "true" },
      draw("defs", {}, ...patterns)));
}

export const filling = (state) => `url(#filling-${state in fillings ? state : "unknown"})`;
