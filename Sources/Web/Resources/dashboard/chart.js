// One chart: the mean as a line, least and most as a band around it, gaps where nothing came, anomalies with a number
// that the sentences below it repeat.
import { sentence } from "./anomalies.js";
import { now } from "./api.js";
import { make, setText } from "./dom.js";
import { clock, clockSeconds, quantity, text, unit, value, when } from "./texts.js";

/** Whether dygraphs is there: the script of the package libjs-dygraphs, served by the gateway. */
export function loadDygraph() {
  return new Promise((resolve) => {
    document.head.append(make("link", { rel: "stylesheet", href: "/assets/dygraph.min.css" }));
    document.head.append(make("script", {
      src: "/assets/dygraph.min.js",
      on: { load: () => resolve(prepare()), error: () => resolve(false) },
    }));
  });
}

/** Its legend writes style attributes, which our content policy forbids; we have no legend. */
function prepare() {
  const { Dygraph } = window;
  Dygraph.PLUGINS = Dygraph.PLUGINS.filter((plugin) => plugin !== Dygraph.Plugins.Legend);
  return true;
}

/** As many missing steps as this, times the usual distance of points, are a gap. */
const gapFactor = 3;
const nothing = [null, null, null];

export class Chart {
  /** Rows of dygraphs: a time, and least, mean and most. */
  #rows = [];
  #dygraph = null;
  #step = 1;
  #length = 3_600_000;
  #series;
  #marks = [];
  #isCounter;
  #grown = 0;
  /** The last value of a counter that came live. */
  #counted = null;

  constructor(name, series) {
    this.name = name;
    this.#series = series;
    this.#isCounter = series.kind === "counter";
    this.symbol = series.symbol ?? series.unit;
    this.latest = make("span", { class: "chart-latest number" }, quantity(series.latest?.value, this.symbol));
    this.picture = make("div", { class: "chart-picture" });
    this.list = make("ol", { class: "chart-marks" });
    this.node = make("figure", { class: "chart" },
      make("figcaption", {},
        make("span", { class: "chart-name", title: series.description ?? "" },
          this.#isCounter ? text("charts.growth", { name: series.metric }) : series.metric),
        this.latest),
      this.picture, this.list);
  }

  get width() { return Math.max(120, this.picture.clientWidth - 48); }

  remove() {
    this.#dygraph?.destroy();
    this.#dygraph = null;
  }

  show(columns, { from, to, step }) {
    this.#step = step * 1000;
    this.#length = to - from;
    // Of a counter what it grew by since the begin: that outlives its resets.
    this.#grown = 0;
    this.#counted = null;
    const rows = columns.time.map((time, index) => {
      const bands = this.#isCounter
        ? this.#grow(columns.count[index] > 0 ? columns.increase[index] : null)
        : [columns.min[index], columns.mean[index], columns.max[index]];
      return [new Date(time), bands.every((part) => part !== null) ? bands : nothing];
    });
    this.#rows = closeGaps(rows);
    this.redraw();
  }

  /** A sample that came live; what is bad is no value. */
  append({ time, value: content, quality }) {
    const moment = Date.parse(time);
    const last = this.#rows[this.#rows.length - 1];
    if (!last || moment <= last[0].getTime() || typeof content !== "number") return;
    setText(this.latest, quantity(content, this.symbol));
    if (moment - last[0].getTime() > this.#gap) this.#rows.push([new Date(last[0].getTime() + 1), nothing]);
    const isBad = quality.startsWith("bad");
    this.#rows.push([new Date(moment), isBad ? nothing : this.#bands(content)]);
  }

  #bands(content) {
    if (!this.#isCounter) return [content, content, content];
    const before = this.#counted ?? content;
    this.#counted = content;
    return this.#grow(content >= before ? content - before : content);
  }

  #grow(increase) {
    if (increase === null || increase === undefined) return nothing;
    this.#grown += increase;
    return [this.#grown, this.#grown, this.#grown];
  }

  /** Longer than this without a value is a gap, in ms. */
  get #gap() {
    const times = this.#rows.filter((row) => row[1] !== nothing).slice(-20).map((row) => row[0].getTime());
    const usual = times.length > 2 ? (times[times.length - 1] - times[0]) / (times.length - 1) : 0;
    return Math.max(gapFactor * usual, gapFactor * this.#step, 10_000);
  }

  redraw() {
    const to = Math.max(now(), this.#rows[this.#rows.length - 1]?.[0].getTime() ?? 0);
    const from = to - this.#length;
    while (this.#rows.length > 1 && this.#rows[1][0].getTime() < from) this.#rows.shift();
    const hasValues = this.#rows.some((row) => row[1] !== nothing);
    this.node.classList.toggle("valueless", !hasValues);
    this.picture.dataset.words = hasValues ? "" : text("charts.empty");
    if (!hasValues) return;
    if (this.#dygraph) {
      this.#dygraph.updateOptions({ file: this.#rows, dateWindow: [from, to] });
    } else {
      this.#dygraph = new window.Dygraph(this.picture, this.#rows, this.#options([from, to]));
      this.mark(this.#marks);
    }
    this.#describe();
  }

  #options(dateWindow) {
    const style = getComputedStyle(this.picture);
    return {
      labels: ["time", this.#series.metric], dateWindow, customBars: true,
      colors: [style.color], strokeWidth: 1.25, fillAlpha: 0.18, legend: "never",
      gridLineColor: style.borderTopColor, axisLineColor: style.borderTopColor,
      highlightCircleSize: 3, stepPlot: this.#isCounter, yRangePad: 6,
      // Dragging scrolls the page; the span is chosen by the buttons above.
      interactionModel: {},
      axes: {
        x: { drawGrid: false, pixelsPerLabel: 48, axisLabelFormatter: (time) => clock(time) },
        y: { pixelsPerLabel: 24, axisLabelWidth: 46, axisLabelFormatter: (number) => value(number) },
      },
      highlightCallback: (event, time, points) => {
        const point = points[0];
        if (point) setText(this.latest, `${clockSeconds(time)}  ${quantity(point.yval, this.symbol)}`);
      },
      unhighlightCallback: () => {
        setText(this.latest, quantity(this.#series.latest?.value, this.symbol));
      },
    };
  }

  /** For those who do not see it: what the picture shows. */
  #describe() {
    let least = Infinity;
    let most = -Infinity;
    for (const [, [low, , high]] of this.#rows) {
      if (low === null) continue;
      least = Math.min(least, low);
      most = Math.max(most, high);
    }
    this.picture.setAttribute("role", "img");
    this.picture.setAttribute("aria-label", text("charts.between", {
      name: this.#series.metric, least: value(least), most: value(most), unit: unit(this.symbol),
    }));
  }

  mark(episodes) {
    this.#marks = episodes;
    this.list.replaceChildren(...episodes.map((episode) =>
      make("li", {}, `${when(episode.started)} ${sentence(episode, this.symbol)}`)));
    this.#dygraph?.setAnnotations(episodes.flatMap((episode, index) => {
      const point = nearest(this.#rows, Date.parse(episode.started));
      return point === null ? [] : [{
        series: this.#series.metric, x: point, shortText: String(index + 1), width: 18, height: 18,
        tickHeight: 6, cssClass: "anomaly-mark", text: sentence(episode, this.symbol),
      }];
    }));
  }
}

/**
 * A sensor that sends less often than a step has empty steps between its values: those are no gap. Rows without a
 * value go, unless more of them follow each other than three times what is usual.
 */
function closeGaps(rows) {
  const filled = rows.flatMap((row, index) => (row[1] === nothing ? [] : [index]));
  if (filled.length < 2) return rows;
  const distances = filled.slice(1).map((place, index) => place - filled[index]).sort((a, b) => a - b);
  const most = gapFactor * distances[Math.floor(distances.length / 2)];
  const out = [];
  let before = filled[0];
  for (const place of filled) {
    if (place - before > most) out.push([new Date(rows[before][0].getTime() + 1), nothing]);
    out.push(rows[place]);
    before = place;
  }
  return out;
}

function nearest(rows, time) {
  let best = null;
  for (const [moment, bands] of rows) {
    if (bands === nothing) continue;
    if (best === null || Math.abs(moment - time) < Math.abs(best - time)) best = moment.getTime();
  }
  return best;
}
