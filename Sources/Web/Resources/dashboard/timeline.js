// States of the shift, one band a machine. Each state has a filling and a sign of its own beside its colour, and what
// is pointed at or reached with the arrow keys is said in words below.
import { now } from "./api.js";
import { draw, element, keep, make, nextFrame, setText } from "./dom.js";
import { floor, selection } from "./floor.js";
import { filling, states, statePath, stateSign } from "./symbols.js";
import { clock, clockSeconds, duration, text, word } from "./texts.js";

const bandHeight = 30;
/** A band narrower than this shows no sign. */
const signWidth = 18;
const hourMilliseconds = 3_600_000;

/** What the arrow keys are at: machine and begin of its interval. */
let chosen = null;

export function startTimeline() {
  const show = () => nextFrame("timeline", showBands);
  floor.addEventListener("figures", show);
  new ResizeObserver(show).observe(element("bands"));
  showLegend([]);
}

/** All bands share one span, so that what happened at the same time stands above each other. */
function commonSpan() {
  const begins = floor.figures.map((item) => Date.parse(item.shift?.from ?? item.from));
  const ends = floor.figures.map((item) => Date.parse(item.shift?.to ?? item.to));
  return { from: Math.min(...begins), to: Math.max(...ends) };
}

function showBands() {
  const bands = floor.figures.flatMap((item) => item.timelines);
  element("timeline").hidden = floor.isKnown && floor.machines.length === 0;
  if (bands.length === 0) return;
  const span = commonSpan();
  setText(element("timeline-span"), text("timeline.span", { from: clock(span.from), to: clock(span.to) }));
  keep(element("bands"), bands, (band) => band.machine, makeBand, (node, band) => {
    updateBand(node, band, span);
  });
  showAxis(span);
  const seen = new Set(bands.flatMap((band) => band.intervals.map((interval) => interval.state)));
  showLegend(states.filter((state) => seen.has(state)));
}

function makeBand(band) {
  const picture = draw("svg", { class: "band", height: bandHeight, "aria-hidden": "true" });
  const node = make("div", { class: "band-row" },
    make("span", { class: "band-name" }, band.machine),
    make("div", {
      class: "band-field", tabindex: "0", role: "group",
      on: {
        keydown: (event) => step(node, event),
        pointermove: (event) => point(node, event),
        pointerdown: (event) => point(node, event),
        focus: () => say(node, chosen?.machine === node.band.machine ? chosen.index : last(node)),
      },
    }, picture));
  return node;
}

const last = (node) => node.band.intervals.length - 1;

function updateBand(node, band, span) {
  node.band = band;
  node.span = span;
  const field = node.lastChild;
  const picture = field.firstChild;
  const width = Math.max(60, Math.floor(field.clientWidth));
  picture.setAttribute("viewBox", `0 0 ${width} ${bandHeight}`);
  picture.setAttribute("width", width);
  const x = (time) => ((time - span.from) / (span.to - span.from)) * width;
  const parts = [draw("rect", { class: "band-ground", width, height: bandHeight })];
  for (const piece of pieces(band.intervals, x)) parts.push(...drawPiece(piece));
  const time = x(Math.min(now(), span.to));
  if (now() < span.to) {
    parts.push(draw("line", { class: "now", x1: time, x2: time, y1: 0, y2: bandHeight }));
  }
  picture.replaceChildren(...parts);
  field.setAttribute("aria-label", summary(band));
  node.classList.toggle("chosen", floor.machine(band.machine)?.device === selection.device);
}

/** Intervals as they can be seen: what is narrower than a pixel joins its neighbour, unless it is a stop. */
function pieces(intervals, x) {
  const out = [];
  intervals.forEach((interval, index) => {
    const from = x(Date.parse(interval.from));
    const to = x(Date.parse(interval.to));
    const before = out[out.length - 1];
    if (before && before.state === interval.state && from - before.to < 0.5) {
      before.to = to;
    } else if (to - from >= 0.7 || interval.state === "unplanned_stop") {
      out.push({ state: interval.state, from, to: Math.max(to, from + 1), index });
    }
  });
  return out;
}

function drawPiece({ state, from, to }) {
  const width = to - from;
  const parts = [
    draw("rect", {
      x: from.toFixed(1), width: width.toFixed(1), height: bandHeight, fill: filling(state),
      class: `piece ${state}`,
    }),
  ];
  if (width >= signWidth && state !== "running") {
    const sign = statePath(state);
    sign.setAttribute("class", `sign in-band ${state}`);
    sign.setAttribute("transform", `translate(${(from + width / 2 - 8).toFixed(1)} ${bandHeight / 2 - 8})`);
    parts.push(
      draw("circle", { class: "sign-ground", cx: (from + width / 2).toFixed(1), cy: bandHeight / 2, r: 8.5 }),
      sign);
  }
  return parts;
}

/** For screen readers: how long in each state. */
function summary(band) {
  const seconds = new Map();
  for (const { state, from, to } of band.intervals) {
    seconds.set(state, (seconds.get(state) ?? 0) + (Date.parse(to) - Date.parse(from)) / 1000);
  }
  const parts = states.filter((state) => seconds.has(state))
    .map((state) => `${word("state", state)} ${duration(seconds.get(state))}`);
  return `${band.machine}: ${parts.join(", ")}`;
}

function showAxis(span) {
  const axis = element("timeline-axis");
  const width = element("bands").querySelector(".band-field")?.clientWidth ?? 0;
  const hours = (span.to - span.from) / hourMilliseconds;
  // Some 56 pixels a label.
  const every = [1, 2, 3, 4, 6, 12, 24].find((step) => (hours / step) * 56 <= width) ?? 24;
  const first = new Date(span.from);
  first.setMinutes(0, 0, 0);
  const marks = [];
  for (let time = first.getTime(); time <= span.to; time += hourMilliseconds) {
    const share = (time - span.from) / (span.to - span.from);
    if (share < 0 || share > 0.97 || new Date(time).getHours() % every !== 0) continue;
    const mark = make("span", { class: "mark number" }, clock(time));
    mark.style.left = `${share * 100}%`;
    marks.push(mark);
  }
  axis.replaceChildren(...marks);
}

function showLegend(shown) {
  keep(element("timeline-legend"), shown, (state) => state, (state) =>
    make("li", {},
      draw("svg", { class: "swatch", viewBox: "0 0 24 16", "aria-hidden": "true" },
        draw("rect", { width: 24, height: 16, fill: filling(state) })),
      stateSign(state), word("state", state)), () => {});
}

function step(node, event) {
  const at = chosen?.machine === node.band.machine ? chosen.index : last(node);
  const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last(node) }[event.key];
  if (event.key === "Enter") choose(node);
  if (to === undefined) return;
  event.preventDefault();
  say(node, Math.min(Math.max(to, 0), last(node)));
}

function choose(node) {
  const device = floor.machine(node.band.machine)?.device;
  if (device) selection.choose(device);
}

function point(node, event) {
  const field = node.lastChild.getBoundingClientRect();
  const { from, to } = node.span;
  const time = from + ((event.clientX - field.left) / field.width) * (to - from);
  const index = node.band.intervals.findIndex(
    (interval) => Date.parse(interval.from) <= time && time < Date.parse(interval.to));
  if (index >= 0) say(node, index);
}

/** The interval in words, in the line below all bands: nothing moves for it. */
function say(node, index) {
  const interval = node.band.intervals[index];
  if (!interval) return;
  chosen = { machine: node.band.machine, index };
  const seconds = (Date.parse(interval.to) - Date.parse(interval.from)) / 1000;
  const facts = [
    word("state", interval.state),
    `${clockSeconds(interval.from)}–${clockSeconds(interval.to)}`, duration(seconds),
  ];
  if (interval.reason) facts.push(text("timeline.reason", { reason: word("reason", interval.reason) }));
  if (interval.small_stop) facts.push(text("timeline.small"));
  element("timeline-words").replaceChildren(
    stateSign(interval.state), make("strong", {}, node.band.machine), ` ${facts.join(" · ")}`);
}
