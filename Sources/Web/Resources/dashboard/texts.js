// Words, numbers and times in the reader's language. A catalogue is a flat JSON file in /assets/texts.

/** Each with its own name, as the selector shows it. A new language is a file and a line here. */
export const languages = { en: "English", "pt-BR": "Português (Brasil)" };

const storageName = "millwright-language";

function chooseLanguage() {
  const wished = [localStorage.getItem(storageName), ...navigator.languages];
  for (const wish of wished) {
    if (!wish) continue;
    if (wish in languages) return wish;
    const near = Object.keys(languages).find(
      (known) => known.split("-")[0] === wish.split("-")[0]);
    if (near) return near;
  }
  return "en";
}

export const language = chooseLanguage();
document.documentElement.lang = language;

const catalogue = await (await fetch(`/assets/texts/${language}.json`)).json();

/** Remembers the choice; the page is read anew, so that nothing of the old language stays. */
export function useLanguage(name) {
  localStorage.setItem(storageName, name);
  location.reload();
}

/** The text of a key, with `{name}` replaced by `values.name`. */
export function text(key, values = {}) {
  const pattern = catalogue[key] ?? key;
  return pattern.replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place);
}

/** A word of a closed list, such as a state; the name itself where the catalogue has none. */
export function word(list, name) {
  return catalogue[`${list}.${name}`] ?? String(name).replaceAll("_", " ");
}

/** Fills in what the HTML asks for: `data-text` as content, `data-label` as the name for screen readers. */
export function translate(root = document) {
  for (const node of root.querySelectorAll("[data-text]")) {
    node.textContent = text(node.dataset.text);
  }
  for (const node of root.querySelectorAll("[data-label]")) {
    node.setAttribute("aria-label", text(node.dataset.label));
  }
}

// MARK: - Numbers

const plain = new Intl.NumberFormat(language, { maximumSignificantDigits: 6 });
const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
const percents = new Intl.NumberFormat(language, {
  style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1,
});
const money = new Map();

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

/** A measured value, whatever its type; a dash for nothing. */
export function value(content) {
  if (isNumber(content)) return plain.format(content);
  if (typeof content === "boolean") return text(content ? "value.true" : "value.false");
  return content === null || content === undefined || content === "" ? "–" : String(content);
}

export const count = (number) => (isNumber(number) ? whole.format(number) : "–");
export const percent = (share) => (isNumber(share) ? percents.format(share) : "–");

export function amount(number, currency) {
  if (!money.has(currency)) {
    money.set(currency, new Intl.NumberFormat(language, {
      style: "currency", currency, maximumFractionDigits: 0,
    }));
  }
  return money.get(currency).format(number);
}

/** Units of annotation alone, such as {count}, say nothing to a reader. */
export const unit = (symbol) => (symbol && !/^\{.*\}$/.test(symbol) && symbol !== "1" ? symbol : "");

/** A value with its unit, kept on one line. */
export function quantity(content, symbol) {
  const shown = unit(symbol);
  return shown ? `${value(content)}\u00a0${shown}` : value(content);
}

// MARK: - Times

const units = Object.fromEntries(
  ["day", "hour", "minute", "second"].map((name) => [
    name, new Intl.NumberFormat(language, { style: "unit", unit: name, unitDisplay: "short" }),
  ]));

/** Seconds as the two largest parts: 2 hr 5 min, 48 sec. */
export function duration(seconds) {
  if (!isNumber(seconds)) return "–";
  const total = Math.max(0, Math.round(seconds));
  const parts = [
    ["day", Math.floor(total / 86_400)], ["hour", Math.floor(total / 3600) % 24],
    ["minute", Math.floor(total / 60) % 60], ["second", total % 60],
  ];
  const first = parts.findIndex(([, number]) => number > 0);
  if (first < 0) return units.second.format(0);
  return parts.slice(first, first + 2).filter(([, number]) => number > 0)
    .map(([name, number]) => units[name].format(number)).join(" ");
}

/** The largest part alone, rounded: 137 days. For what is not known any better. */
export function roughly(seconds) {
  if (!isNumber(seconds)) return "–";
  for (const [name, length] of [["day", 86_400], ["hour", 3600], ["minute", 60]]) {
    if (seconds >= 2 * length) return units[name].format(Math.round(seconds / length));
  }
  return units.second.format(Math.round(seconds));
}

// Shifts are spoken of in 24 hours, whatever the country.
const ofDay = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const ofSecond = { ...ofDay, second: "2-digit" };
const hours = new Intl.DateTimeFormat(language, ofDay);
const seconds = new Intl.DateTimeFormat(language, ofSecond);
const dates = new Intl.DateTimeFormat(language, { ...ofDay, day: "numeric", month: "short" });
const full = new Intl.DateTimeFormat(language, {
  ...ofSecond, weekday: "short", day: "numeric", month: "short", timeZoneName: "short",
});

const asDate = (moment) => new Date(moment);

export const clock = (moment) => hours.format(asDate(moment));
export const clockSeconds = (moment) => seconds.format(asDate(moment));
export const fullTime = (moment) => full.format(asDate(moment));

/** The time of day, with the date when it was not today. */
export function when(moment) {
  if (!moment) return "–";
  const date = asDate(moment);
  return date.toDateString() === new Date().toDateString() ? hours.format(date) : dates.format(date);
}
