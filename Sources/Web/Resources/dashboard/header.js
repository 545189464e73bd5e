// The head of the page: where we are, how the gateway is, whether what is shown is fresh, and who may look.
import { access, ask, key, now, useKey } from "./api.js";
import { element, make, nextFrame, setText } from "./dom.js";
import { floor } from "./floor.js";
import { live } from "./live.js";
import { duration, fullTime, language, languages, text, useLanguage, word } from "./texts.js";

const healthEvery = 10_000;
/** From here on the age of what is shown is told with a sign of its own. */
const staleSeconds = 60;

/** The newest commit the gateway told of, in ms of its clock. */
let lastCommit = null;
let isAnswering = true;

export function startHeader() {
  fillLanguages();
  startAccess();
  floor.addEventListener("machines", showSite);
  live.addEventListener("state", showConnection);
  refreshHealth();
  setInterval(tick, 1_000);
  tick();
}

function tick() {
  setText(element("time"), fullTime(now()));
  showConnection();
}

/** The place that all machines share: the site, as the plant itself calls it. */
function showSite() {
  const places = floor.machines.map((machine) => machine.asset?.split("/") ?? [])
    .filter((place) => place.length > 0);
  if (places.length === 0) return;
  const shared = places[0].slice(0, -1).filter(
    (level, index) => places.every((place) => place[index] === level));
  setText(element("site"), shared.join(" · "));
}

function showConnection() {
  const age = lastCommit === null ? null : Math.max(0, (now() - lastCommit) / 1000);
  const recent = (performance.now() - live.heard) / 1000;
  const isLive = live.state === "live" && isAnswering;
  const node = element("connection");
  const isStale = !isLive || (age !== null && age > staleSeconds);
  node.className = isStale ? "chip attention" : "chip";
  setText(element("connection-word"), word("connection", isAnswering ? live.state : "reconnecting"));
  const shown = isLive || age !== null ? age ?? recent : null;
  setText(element("age"), shown === null ? "" : text("age.data", { time: duration(shown) }));
}

/** Called with the time of every sample that came live. */
export function noteSample(moment) {
  const time = Date.parse(moment);
  if (time > (lastCommit ?? 0) && time <= now() + 1_000) lastCommit = time;
}

async function refreshHealth() {
  try {
    // Ready or not: a gateway that cannot ingest answers 503 with the same body.
    const answer = await fetch("/health", { headers: { accept: "application/json" } });
    showHealth(await answer.json());
    isAnswering = true;
  } catch {
    isAnswering = false;
    showHealth({ status: "unreachable", checks: {} });
  }
  setTimeout(refreshHealth, healthEvery);
}

function showHealth(health) {
  const commit = Date.parse(health.checks.storage?.last_commit ?? "");
  if (commit > (lastCommit ?? 0)) lastCommit = commit;
  nextFrame("health", () => {
    element("health").className = health.status === "ok" ? "chip" : `chip attention ${health.status}`;
    setText(element("health-word"), word("health", health.status));
    const faults = Object.entries(health.checks).filter(([, check]) => check.status !== "ok");
    const rows = faults.map(([name, check]) =>
      make("li", {}, make("strong", {}, word("check", name)), " ",
        check.detail ?? check.state ?? check.status));
    if (rows.length === 0) rows.push(make("li", {}, text("health.nothing")));
    element("checks").replaceChildren(...rows);
  });
}

function fillLanguages() {
  const select = element("language");
  for (const [code, name] of Object.entries(languages)) {
    select.append(make("option", { value: code, lang: code, selected: code === language }, name));
  }
  select.addEventListener("change", () => useLanguage(select.value));
}

function startAccess() {
  const form = element("access");
  access.addEventListener("needed", (event) => {
    setText(element("access-reason"), event.detail ?? "");
    form.hidden = false;
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    useKey(element("key").value.trim());
    element("key").value = "";
    form.hidden = true;
    element("forget").hidden = !key();
    floor.refresh();
    // Tells at once whether the key is good for reading.
    await ask("/api/v1/devices?limit=1").catch(() => {});
  });
  element("forget").addEventListener("click", () => {
    useKey("");
    location.reload();
  });
  element("forget").hidden = !key();
}
