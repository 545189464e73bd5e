// What maintenance should do, until when, and what waiting costs. Hidden while the gateway does not tell.
import { ask } from "./api.js";
import { element, keep, make, nextFrame, setText } from "./dom.js";
import { live } from "./live.js";
import { amount, percent, quantity, roughly, text, when, word } from "./texts.js";

const refreshEvery = 60_000;

let timer = 0;

export function startMaintenance() {
  live.addEventListener("restored", refresh);
  refresh();
}

function later() {
  timer = setTimeout(() => (document.hidden ? later() : refresh()), refreshEvery);
}

async function refresh() {
  clearTimeout(timer);
  try {
    const { items } = await ask("/api/v1/maintenance/plan");
    nextFrame("maintenance", () => show(items));
  } catch (error) {
    // Another version may answer after a restart, and then the page comes back anyway.
    if (error.status === 404) {
      element("maintenance").hidden = true;
      return;
    }
  }
  later();
}

function show(items) {
  element("maintenance").hidden = false;
  element("no-maintenance").hidden = items.length > 0;
  keep(element("maintenance-list"), items, (item) => item.device_id, makeItem, updateItem);
}

function makeItem() {
  const fact = (key, name) => make("div", { class: `fact ${name}` },
    make("dt", {}, text(key)), make("dd", { class: "number" }));
  return make("li", { class: "card-row" },
    make("div", { class: "plan-head" }, make("strong", {}), make("span", { class: "zone" })),
    make("p", { class: "plan-action" }),
    make("dl", { class: "facts" },
      fact("maintenance.health", "health"), fact("maintenance.due", "due"),
      fact("maintenance.life", "life"), fact("maintenance.risk", "risk"),
      fact("maintenance.cost", "cost")),
    make("ul", { class: "reasons faint" }));
}

function updateItem(node, item) {
  const [head, action, facts, reasons] = node.children;
  setText(head.firstChild, item.device_id);
  const zone = head.lastChild;
  zone.className = `zone zone-${item.zone ?? "none"}`;
  setText(zone, item.zone ? text("maintenance.zone", { zone: item.zone, words: word("zone", item.zone) }) : "");
  setText(action, item.recommended_action ? actionText(item.recommended_action) : "");
  const say = (name, words) => setText(facts.querySelector(`.${name} dd`), words);
  say("health", percent(item.health));
  say("due", when(item.due_before));
  say("life", lifeText(item.remaining_useful_life));
  say("risk", percent(item.failure_probability?.["7d"]));
  const cost = item.cost_of_waiting;
  facts.querySelector(".cost").title = cost?.text ?? item.cost_of_waiting_reason ?? "";
  say("cost", cost ? text("maintenance.a-day", { amount: amount(cost.amount, cost.currency) }) : "–");
  keep(
    reasons, (item.reasons ?? []).slice(0, 3), (reason) => reason.signal + reason.text,
    () => make("li"), (line, reason) => {
      setText(line, reason.text || `${reason.signal} ${percent(reason.contribution)}`);
    });
}

/** In time where the gateway knows how much a machine works, else in the unit of its usage. */
function lifeText(life) {
  if (!life) return "–";
  const hours = life.hours;
  const show = hours ? (number) => roughly(number * 3600) : (number) => quantity(number, life.unit);
  const { expected, low, high } = hours ?? life;
  if (low === null || high === null) return show(expected);
  return text("maintenance.between", { expected: show(expected), low: show(low), high: show(high) });
}

/** The gateway's sentence; without one the code is better than nothing. */
const actionText = (action) => action.text || word("action", action.code);
