// The line: its machines in the order in which parts pass them, each with state, since when, OEE and parts.
import { now } from "./api.js";
import { element, keep, make, nextFrame, setText } from "./dom.js";
import { floor, selection } from "./floor.js";
import { isTrouble, stateSign } from "./symbols.js";
import { clock, count, duration, percent, text, word } from "./texts.js";

export function startLine() {
  const show = () => nextFrame("line", showLines);
  floor.addEventListener("machines", show);
  floor.addEventListener("figures", show);
  floor.addEventListener("problem", show);
  selection.addEventListener("change", show);
  setInterval(() => nextFrame("line-durations", showDurations), 1_000);
}

/** Lines with their machines; until figures have come, all machines in one row. */
function groups() {
  if (floor.figures.length === 0) {
    const ids = floor.machines.map((machine) => machine.machine);
    return ids.length === 0 ? [] : [{ key: "all", name: "", ids, item: null }];
  }
  const lines = floor.figures.filter((item) => item.line !== null).map((item) => ({
    key: `line ${item.line}`, name: item.line, item,
    ids: item.result.machines.map((machine) => machine.machine),
  }));
  const alone = floor.figures.filter((item) => item.line === null);
  if (alone.length > 0) {
    lines.push({
      key: "alone", name: lines.length > 0 ? text("line.others") : "", item: null,
      ids: alone.map((item) => item.result.machines[0].machine),
    });
  }
  return lines;
}

function showLines() {
  const shown = groups();
  element("no-machines").hidden = shown.length > 0 || !floor.isKnown;
  keep(element("lines"), shown, (group) => group.key, makeGroup, updateGroup);
}

function makeGroup(group) {
  const node = make("div", { class: "line" },
    make("div", { class: "line-head" },
      make("h3", {}, group.name), make("p", { class: "faint shift" }),
      make("p", { class: "line-figure" })),
    make("ol", { class: "machines", "aria-label": group.name || text("line.title") }));
  return node;
}

function updateGroup(node, group) {
  const [title, shift, figure] = node.firstChild.children;
  // Lines share the width by their machines.
  node.style.flexGrow = group.ids.length;
  setText(title, group.name);
  setText(shift, group.item ? shiftText(group.item) : "");
  const oee = group.item?.result.oee;
  figure.hidden = group.item === null;
  if (group.item) {
    setText(figure, text("line.oee", { share: percent(oee) }) + (oee > 1 ? ` ${text("oee.above")}` : ""));
  }
  const machines = group.ids.map((id) => floor.machine(id)).filter(Boolean);
  keep(node.lastChild, machines, (machine) => machine.machine, makeMachine, updateMachine);
}

/** "Early shift 06:00–14:00", or the span that stands in for one. */
export function shiftText(item) {
  const span = (from, to) => ({ from: clock(from), to: clock(to) });
  return item.shift
    ? text("shift.named", { name: word("shift", item.shift.name), ...span(item.shift.from, item.shift.to) })
    : text("shift.none", span(item.from, item.to));
}

function makeMachine(machine) {
  const row = (key) => make("span", { class: "pair" },
    make("span", { class: "faint" }, text(key)), make("span", { class: "number" }, "–"));
  const button = make("button", {
    type: "button", class: "machine",
    on: { click: () => selection.choose(machine.device) },
  },
    make("span", { class: "machine-name" }, machine.machine),
    make("span", { class: "machine-state" }),
    make("span", { class: "machine-since faint number" }),
    make("span", { class: "pairs" }, row("oee.short"), row("parts.good"), row("parts.scrap")));
  return make("li", {}, button);
}

function updateMachine(node, machine) {
  const [name, state, since, pairs] = node.firstChild.children;
  setText(name, machine.machine);
  if (node.dataset.state !== machine.state) {
    node.dataset.state = machine.state;
    state.replaceChildren(stateSign(machine.state), word("state", machine.state));
    node.classList.toggle("trouble", isTrouble(machine.state));
    node.dataset.trouble = isTrouble(machine.state) ? machine.state : "";
  }
  node.firstChild.setAttribute("aria-pressed", String(selection.device === machine.device));
  since.dataset.since = machine.since ?? "";
  setText(since, sinceText(machine.since));
  const result = floor.result(machine.machine);
  const [oee, good, scrap] = [...pairs.children].map((pair) => pair.lastChild);
  setText(oee, percent(result?.oee));
  setText(good, count(sum(result?.parts, "good")));
  setText(scrap, count(sum(result?.parts, "scrap")));
}

const sinceText = (since) => (since ? duration((now() - Date.parse(since)) / 1000) : "–");

/** Parts over all products; nothing when one is not known. */
export function sum(parts, name) {
  if (!parts || parts.length === 0 || parts.some((part) => part[name] === null)) return null;
  return parts.reduce((total, part) => total + part[name], 0);
}

function showDurations() {
  for (const node of document.querySelectorAll(".machine-since")) {
    setText(node, sinceText(node.dataset.since));
  }
}
