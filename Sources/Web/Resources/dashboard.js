// The latest values, once a second. A key, where one is needed, stays in this tab.
const element = (id) => document.getElementById(id);
const keyName = "millwright-key";
let lastSamples = null;

async function ask(path, accept = "application/json") {
  const headers = { accept };
  const key = sessionStorage.getItem(keyName);
  if (key) headers["x-api-key"] = key;
  const answer = await fetch(path, { headers });
  if (answer.status === 401 || answer.status === 403) {
    element("access").hidden = false;
    throw new Error("a key with the scope `read` is needed");
  }
  return answer;
}

function cell(row, text, name) {
  const cell = row.insertCell();
  cell.textContent = text;
  if (name) cell.className = name;
}

function shown(value) {
  if (typeof value === "number") return Number(value.toPrecision(7)).toString();
  return value === null ? "–" : String(value);
}

function showSeries(items) {
  const body = document.createElement("tbody");
  body.id = "values";
  for (const item of items) {
    const row = body.insertRow();
    const latest = item.latest ?? { value: null, quality: "", time: "" };
    cell(row, item.device);
    cell(row, item.metric);
    cell(row, shown(latest.value), "number");
    cell(row, item.symbol ?? item.unit ?? "");
    cell(row, latest.quality, latest.quality.split(" ")[0]);
    cell(row, latest.time);
  }
  element("values").replaceWith(body);
  element("series").textContent = items.length;
}

async function refreshHealth() {
  const answer = await fetch("/health");
  const health = await answer.json();
  element("health").textContent = health.status;
  element("health").className = `figure ${health.status}`;
  const list = Object.entries(health.checks)
    .filter(([, check]) => check.status !== "ok")
    .map(([name, check]) => {
      const line = document.createElement("li");
      line.textContent = `${name}: ${check.detail ?? check.state ?? check.status}`;
      return line;
    });
  element("checks").replaceChildren(...list);
}

async function refreshRate() {
  const text = await (await ask("/metrics", "text/plain")).text();
  const found = text.match(/^millwright_samples_total (\S+)$/m);
  if (!found) return;
  const now = { count: Number(found[1]), time: performance.now() };
  if (lastSamples) {
    const rate = (now.count - lastSamples.count) / ((now.time - lastSamples.time) / 1000);
    element("rate").textContent = Math.round(rate);
  }
  lastSamples = now;
}

async function refreshSeries() {
  const match = element("match").value.trim();
  const query = new URLSearchParams({ limit: "200" });
  if (match) query.set("match", match);
  const answer = await ask(`/api/v1/series?${query}`);
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.detail);
  showSeries(body.items);
}

async function refresh() {
  const problem = element("problem");
  try {
    await refreshHealth();
    await Promise.all([refreshSeries(), refreshRate()]);
    problem.hidden = true;
  } catch (error) {
    problem.textContent = error.message;
    problem.hidden = false;
  }
  setTimeout(refresh, document.hidden ? 10_000 : 1_000);
}

element("access").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(keyName, element("key").value);
  element("access").hidden = true;
});

refresh();
