// From the time of the calendar to the time in which good parts were made: each loss where it falls, in hours, in
// points of OEE and in parts.
import { element, keep, make, setText } from "./dom.js";
import { count, duration, percent, word } from "./texts.js";

/** Levels stand even when nothing is lost before them; losses of nothing are left out. */
function rows(steps) {
  const whole = steps[0]?.duration_seconds ?? 0;
  let level = whole;
  const out = [];
  for (const step of steps) {
    const seconds = step.duration_seconds;
    if (step.kind === "level") {
      level = seconds;
      out.push({ ...step, offset: 0, width: seconds });
    } else {
      level -= seconds;
      // Faster than the ideal cycle is a loss below zero: drawn where it lies, to the right of what remains.
      const offset = seconds >= 0 ? level : level + seconds;
      if (Math.abs(seconds) >= 0.5) out.push({ ...step, offset: Math.max(0, offset), width: Math.abs(seconds) });
    }
  }
  return { whole, out };
}

export function showWaterfall(result) {
  const { whole, out } = rows(result.waterfall?.steps ?? []);
  const largest = out.filter((row) => row.kind === "loss" && row.oee_points !== null)
    .sort((a, b) => b.duration_seconds - a.duration_seconds)[0];
  keep(element("waterfall"), out, (row) => row.step, makeRow, (node, row) => {
    updateRow(node, row, whole, row === largest);
  });
}

function makeRow(row) {
  return make("tr", { class: row.kind },
    make("th", { scope: "row" }),
    make("td", { class: "field" }, make("span", { class: "bar", "aria-hidden": "true" })),
    make("td", { class: "number" }), make("td", { class: "number points" }),
    make("td", { class: "number parts" }));
}

function updateRow(node, row, whole, isLargest) {
  const [name, field, time, points, parts] = node.children;
  setText(name, word("step", row.step));
  node.classList.toggle("largest", isLargest);
  const bar = field.firstChild;
  const share = (seconds) => `${whole > 0 ? Math.min(100, (seconds / whole) * 100) : 0}%`;
  bar.style.left = share(row.offset);
  bar.style.width = share(row.width);
  const sign = row.kind === "loss" ? (row.duration_seconds < 0 ? "+" : "−") : "";
  setText(time, sign + duration(Math.abs(row.duration_seconds)));
  const isLoss = row.kind === "loss" && row.oee_points !== null;
  setText(points, isLoss ? percent(row.oee_points) : "");
  setText(parts, isLoss ? count(row.parts) : "");
}
