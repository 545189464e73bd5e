// Alarms that are not normal, the most urgent first, and what an operator does with them.
import { ask, now } from "./api.js";
import { element, keep, make, nextFrame, setText } from "./dom.js";
import { live } from "./live.js";
import { prioritySign } from "./symbols.js";
import { duration, text, when, word } from "./texts.js";

/** After an alert, so that a flood of them is one question. */
const pauseSettling = 250;
/** Shelved times run out, and a socket may be down: now and then without being told. */
const pauseQuiet = 60_000;

const isShelved = (alarm) => ["shelved", "suppressed", "out_of_service"].includes(alarm.state);
/** What is only written down wants nobody. */
const isUnacknowledged = (alarm) =>
  alarm.priority !== "journal" && alarm.state.endsWith("unacknowledged");

let alarms = null;
let timer = 0;

export function startAlarms() {
  live.watch("alerts", () => later(pauseSettling));
  live.addEventListener("restored", () => later(0));
  setInterval(() => nextFrame("alarm-ages", showAges), 1_000);
  refresh();
}

function later(pause) {
  clearTimeout(timer);
  timer = setTimeout(refresh, pause);
}

async function refresh() {
  try {
    alarms = (await ask("/api/v1/alarms")).items;
    setText(element("alarms-problem"), "");
  } catch (error) {
    setText(element("alarms-problem"), text("problem.alarms", { detail: error.message }));
  }
  later(pauseQuiet);
  nextFrame("alarms", show);
}

function show() {
  if (alarms === null) return;
  const shown = alarms.filter((alarm) => !isShelved(alarm));
  const shelved = alarms.filter(isShelved);
  const open = shown.filter(isUnacknowledged).length;
  element("no-alarms").hidden = shown.length > 0;
  keep(element("alarm-list"), shown, (alarm) => alarm.alarm, makeAlarm, updateAlarm);
  keep(element("shelf-list"), shelved, (alarm) => alarm.alarm, makeAlarm, updateAlarm);
  element("shelf").hidden = shelved.length === 0;
  setText(element("shelf-title"), text("alarms.shelf", { count: shelved.length }));
  showBadge(shown, open);
}

/** In the head, so that it is seen on a phone too, and in the title of the tab. */
function showBadge(shown, open) {
  const badge = element("alarm-badge");
  badge.className = open > 0 ? `chip alarm ${shown.find(isUnacknowledged).priority}` : "chip";
  const words = open > 0 ? text("alarms.open", { count: open })
    : shown.length > 0 ? text("alarms.acknowledged", { count: shown.length }) : text("alarms.none");
  if (badge.dataset.words !== words) {
    badge.dataset.words = words;
    badge.replaceChildren(
      ...(open > 0 ? [prioritySign(shown.find(isUnacknowledged).priority)] : []), words);
    element("alarm-words").textContent = words;
  }
  document.title = open > 0 ? `(${open}) Millwright` : "Millwright";
}

function makeAlarm(alarm) {
  const remark = make("input", {
    type: "text", class: "remark", maxlength: 500, placeholder: text("alarms.remark"),
    "aria-label": text("alarms.remark"), hidden: true,
  });
  const toggle = make("button", {
    type: "button", class: "quiet", "aria-expanded": "false",
    on: {
      click: () => {
        remark.hidden = !remark.hidden;
        toggle.setAttribute("aria-expanded", String(!remark.hidden));
        if (!remark.hidden) remark.focus();
      },
    },
  }, text("alarms.do-remark"));
  const button = (verb, body) => make("button", {
    type: "button", class: `verb ${verb}`, on: { click: () => command(alarm.alarm, verb, body) },
  }, text(`alarms.do-${verb}`));
  return make("li", { class: "alarm-row" },
    make("div", { class: "alarm-head" }, make("span", { class: "sign-place" }),
      make("strong", { class: "alarm-priority" }), make("span", { class: "alarm-state" })),
    make("p", { class: "alarm-text" }),
    make("p", { class: "alarm-flags faint" },
      make("span", { class: "alarm-since number" }), make("span", {})),
    make("div", { class: "alarm-verbs" },
      button("acknowledge"), button("reset"), button("shelve", { for: "1 h" }),
      button("unshelve"), button("unsuppress"), button("return-to-service"), toggle, remark),
    make("p", { class: "alarm-answer", role: "status" }));
}

function updateAlarm(node, alarm) {
  node.className = `alarm-row ${alarm.priority} ${isUnacknowledged(alarm) ? "open" : "seen"}`;
  const [head, sentence, flags, verbs] = node.children;
  const [sign, priority, state] = head.children;
  const [since, place] = flags.children;
  if (sign.dataset.priority !== alarm.priority) {
    sign.dataset.priority = alarm.priority;
    sign.replaceChildren(prioritySign(alarm.priority));
  }
  setText(priority, word("priority", alarm.priority));
  setText(state, word("alarm-state", alarm.state));
  since.dataset.since = alarm.since;
  setText(since, sinceText(alarm.since));
  setText(sentence, alarm.text || alarm.alarm);
  const notes = ["stale_input", "uncertain", "chattering"].filter((name) => alarm[name])
    .map((name) => word("alarm-flag", name));
  setText(place, [" ", alarm.asset ?? alarm.device, ...notes].filter(Boolean).join(" · "));
  const can = {
    acknowledge: isUnacknowledged(alarm), reset: alarm.state === "latched_acknowledged",
    shelve: !isShelved(alarm), unshelve: alarm.state === "shelved",
    unsuppress: alarm.state === "suppressed", "return-to-service": alarm.state === "out_of_service",
  };
  for (const button of verbs.querySelectorAll(".verb")) button.hidden = !can[button.classList[1]];
}

const sinceText = (moment) => text("alarms.since", {
  time: when(moment), age: duration((now() - Date.parse(moment)) / 1000),
});

function showAges() {
  for (const node of document.querySelectorAll(".alarm-since")) {
    setText(node, sinceText(node.dataset.since));
  }
}

async function command(id, verb, body = {}) {
  const node = element("alarm-list").nodesByKey?.get(id) ?? element("shelf-list").nodesByKey?.get(id);
  const remark = node.querySelector(".remark");
  const answer = node.querySelector(".alarm-answer");
  const buttons = [...node.querySelectorAll(".verb")];
  for (const button of buttons) button.disabled = true;
  try {
    await ask(`/api/v1/alarms/${encodeURIComponent(id)}/${verb}`, {
      method: "POST", body: remark.value ? { ...body, remark: remark.value } : body,
    });
    remark.value = "";
    remark.hidden = true;
    answer.textContent = "";
    await refresh();
  } catch (error) {
    answer.textContent = error.status === 403
      ? text("problem.scope", { detail: error.message }) : error.message;
  }
  for (const button of buttons) button.disabled = false;
}
