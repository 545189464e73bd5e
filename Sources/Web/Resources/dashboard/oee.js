// OEE of the shift so far: the figure with its three factors, and what became of the time.
import { element, keep, make, nextFrame, setText } from "./dom.js";
import { floor } from "./floor.js";
import { shiftText, sum } from "./line.js";
import { count, percent, text } from "./texts.js";
import { showWaterfall } from "./waterfall.js";

const storageName = "millwright-oee";
let chosen = sessionStorage.getItem(storageName);

export function startOEE() {
  floor.addEventListener("figures", () => nextFrame("oee", show));
}

/** Lines first, then machines, each in its order. */
function targets() {
  return floor.figures.flatMap((item) => {
    const machines = item.result.machines.map(({ machine, result }) => ({
      key: `machine ${machine}`, name: machine, item, result,
    }));
    if (item.line === null) return machines;
    return [{ key: `line ${item.line}`, name: item.line, item, result: null }, ...machines];
  });
}

function show() {
  const all = targets();
  element("oee").hidden = floor.isKnown && floor.machines.length === 0;
  if (all.length === 0) return;
  const target = all.find(({ key }) => key === chosen) ?? all[0];
  keep(element("oee-targets"), all, ({ key }) => key, makeTarget, (node, { key }) => {
    node.setAttribute("aria-pressed", String(key === target.key));
  });
  setText(element("oee-shift"), shiftText(target.item));
  const constraint = target.item.result.machines.find(
    ({ machine }) => machine === target.item.result.constraint);
  // Of a line its constraint's time is shown: there the line gains and loses.
  const result = target.result ?? constraint?.result ?? target.item.result.machines[0].result;
  showFactors(target, result);
  setText(
    element("waterfall-of"),
    text(target.result ? "waterfall.machine" : "waterfall.line", {
      name: target.result ? target.name : constraint?.machine ?? "",
    }));
  showWaterfall(result);
  showWarnings(target.result ?? target.item.result);
}

function makeTarget({ key, name }) {
  return make("button", {
    type: "button", class: key.startsWith("line ") ? "choice whole" : "choice",
    on: {
      click: () => {
        chosen = key;
        sessionStorage.setItem(storageName, key);
        show();
      },
    },
  }, name);
}

function showFactors(target, result) {
  const weighted = target.item.result.machines_weighted;
  const factors = target.result ?? {
    oee: target.item.result.oee, availability: weighted?.availability.value,
    performance: weighted?.performance.value, quality: weighted?.quality.value,
  };
  setText(element("oee-now"), percent(factors.oee));
  const why = target.result ? factors.kpis?.oee?.reason : target.item.result.oee_detail?.reason;
  const note = factors.oee > 1 ? text("oee.above-long") : why ?? "";
  setText(element("oee-note"), note);
  element("oee-note").hidden = note === "";
  const bottleneck = target.item.bottleneck?.machine;
  setText(element("oee-bottleneck"), bottleneck && target.item.result.machines.length > 1
    ? text("oee.bottleneck", { name: bottleneck }) : "");
  setText(element("oee-factors-of"), target.result ? "" : text("oee.weighted"));
  for (const name of ["availability", "performance", "quality"]) {
    const node = element(`oee-${name}`);
    setText(node.querySelector(".number"), percent(factors[name]));
    const bar = node.querySelector(".bar-fill");
    bar.style.width = `${Math.min(1, Math.max(0, factors[name] ?? 0)) * 100}%`;
  }
  setText(element("oee-parts"), text("oee.parts", {
    good: count(sum(result.parts, "good")), total: count(sum(result.parts, "total")),
    scrap: count(sum(result.parts, "scrap")),
  }));
}

function showWarnings(result) {
  keep(
    element("oee-warnings"), result.warnings ?? [], (warning) => warning.code + warning.message,
    (warning) => make("li", {}, warning.message), () => {});
}
