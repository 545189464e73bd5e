// Starts every part of the page; each asks for what it shows and keeps it fresh by itself.
import { startAlarms } from "./alarms.js";
import { startAnomalies } from "./anomalies.js";
import { startCharts } from "./charts.js";
import { device } from "./device.js";
import { element } from "./dom.js";
import { floor } from "./floor.js";
import { startHeader } from "./header.js";
import { startLine } from "./line.js";
import { live } from "./live.js";
import { startMaintenance } from "./maintenance.js";
import { startOEE } from "./oee.js";
import { addFillings } from "./symbols.js";
import { text, translate } from "./texts.js";
import { startTimeline } from "./timeline.js";
import { startTwin } from "./twin.js";
import { startValues } from "./values.js";

translate();
addFillings();
startHeader();
startLine();
startTimeline();
startOEE();
startAlarms();
startAnomalies();
startMaintenance();
startCharts();
startTwin();
startValues();

const problem = element("problem");
floor.addEventListener("machines", () => {
  problem.hidden = true;
});
floor.addEventListener("problem", ({ detail: error }) => {
  // Without an answer the chip of the connection says enough.
  problem.hidden = error.status === undefined;
  problem.textContent = text("problem.floor", { detail: error.message });
});

device.start();
floor.start();
live.start();
