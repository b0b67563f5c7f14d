"use strict";
// The page of a sweep: rows that fit the filter are shown, and drawn. The state of the page is the part of its address
// behind #: "run=NAME" for a run's settings, "where=KEY=VALUE;KEY=VALUE&find=WORDS" for a filter.

const data = JSON.parse(document.getElementById("data").textContent);
const PALETTE = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8A6D3B"];
const BITS = [[253, 231, 55], [166, 157, 117], [124, 123, 120], [65, 77, 107], [0, 32, 77]]; // cividis: few to many bits
const MOST_MAPS = 12;
const rows = [...document.querySelectorAll("#runs tbody tr")];
const selects = [...document.querySelectorAll("#filter select[data-key]")];
const find = document.getElementById("find");
const colourBy = document.getElementById("colour");

const valueOf = (run, key) => (key === "state" ? run.state : run.own[key] ?? data.common[key] ?? "-");

function node(name, attributes = {}, ...children) {
  const svg = ["svg", "path", "circle", "line", "text", "title", "g"].includes(name);
  const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// --- filter ---------------------------------------------------------------------------------------------------------

function shownRuns() {
  return rows.filter((row) => !row.hidden).map((row) => data.runs[row.dataset.run]);
}

function applyFilter() {
  const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const row of rows) {
    const run = data.runs[row.dataset.run];
    const text = row.textContent.toLowerCase();
    row.hidden = !(selects.every((select) => !select.value || valueOf(run, select.dataset.key) === select.value) &&
                   words.every((word) => text.includes(word)));
  }
  const runs = shownRuns();
  document.getElementById("count").textContent = `${runs.length} of ${rows.length} runs`;
  drawAll(runs);
}

function filterAddress() {
  const where = selects.filter((select) => select.value).map((select) => `${select.dataset.key}=${select.value}`);
  const parts = [];
  if (where.length) parts.push("where=" + where.map(encodeURIComponent).join(";"));
  if (find.value) parts.push("find=" + encodeURIComponent(find.value));
  return "#" + parts.join("&");
}

function readAddress() {
  const parts = new Map(location.hash.slice(1).split("&").map((part) => {
    const equals = part.indexOf("=");
    return [part.slice(0, equals), part.slice(equals + 1)];
  }));
  if (parts.has("run")) return showRun(decodeURIComponent(parts.get("run")));
  if (parts.has("where") || parts.has("find")) {
    const wanted = (parts.get("where") ?? "").split(";").map(decodeURIComponent);
    for (const select of selects) {
      const found = wanted.find((text) => text.startsWith(select.dataset.key + "="));
      select.value = found ? found.slice(select.dataset.key.length + 1) : "";
    }
    find.value = decodeURIComponent(parts.get("find") ?? "");
    applyFilter();
  }
}

function filterChanged() {
  history.replaceState(null, "", filterAddress());
  applyFilter();
}

// --- order ----------------------------------------------------------------------------------------------------------

function sortBy(header, column) {
  const ascending = header.getAttribute("aria-sort") === "descending";
  for (const other of header.parentNode.children) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  const key = (row) => {
    const text = row.cells[column].textContent;
    return text !== "" && Number.isFinite(+text) ? +text : text;
  };
  const compare = (a, b) => {
    if (typeof a === typeof b) return typeof a === "number" ? a - b : a.localeCompare(b);
    return typeof a === "number" ? 1 : -1; // what is no number comes last when the highest is first
  };
  rows.sort((a, b) => (ascending ? 1 : -1) * compare(key(a), key(b)));
  document.querySelector("#runs tbody").append(...rows);
  drawAll(shownRuns());
}

// --- charts ---------------------------------------------------------------------------------------------------------

function colours(runs) {
  const values = [...new Set(data.runs.map((run) => valueOf(run, colourBy.value)))].sort();
  const colourOf = (run) => PALETTE[values.indexOf(valueOf(run, colourBy.value)) % PALETTE.length];
  const shown = [...new Set(runs.map((run) => valueOf(run, colourBy.value)))].sort();
  return { colourOf, legend: shown.map((value) => [value, PALETTE[values.indexOf(value) % PALETTE.length]]) };
}

function ticks(low, high, count) {
  const step = 10 ** Math.floor(Math.log10((high - low) / count));
  const wide = [1, 2, 5, 10].map((factor) => factor * step).find((width) => (high - low) / width <= count);
  const found = [];
  for (let tick = Math.ceil(low / wide) * wide; tick <= high + wide / 1e6; tick += wide) found.push(+tick.toPrecision(12));
  return found;
}

function axisText(value) {
  if (value === 0) return "0";
  const wide = Math.abs(value) >= 1e5 || Math.abs(value) < 1e-3;
  return wide ? (+value.toPrecision(3)).toExponential().replace("e+", "e") : String(+value.toPrecision(6));
}

// A frame of axes around points [[x, y], ...]; returns the svg and the functions from values to places.
function frame(points, xTitle, yTitle) {
  const width = 600, height = 320, left = 62, right = 12, top = 10, bottom = 44;
  const svg = node("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
  const place = (values, from, to) => {
    let low = Math.min(...values), high = Math.max(...values);
    const margin = high > low ? (high - low) * 0.03 : Math.abs(high) * 0.1 || 1;
    [low, high] = [low - margin, high + margin];
    return { low, high, at: (value) => from + ((value - low) / (high - low)) * (to - from) };
  };
  const bounds = (axis) => points.reduce(([low, high], point) => [Math.min(low, point[axis]), Math.max(high, point[axis])],
                                         [Infinity, -Infinity]);
  const x = place(bounds(0), left, width - right), y = place(bounds(1), height - bottom, top);
  for (const tick of ticks(x.low, x.high, 8)) {
    svg.append(node("line", { x1: x.at(tick), x2: x.at(tick), y1: top, y2: height - bottom, class: "grid" }),
               node("text", { x: x.at(tick), y: height - bottom + 16, "text-anchor": "middle" }, axisText(tick)));
  }
  for (const tick of ticks(y.low, y.high, 6)) {
    svg.append(node("line", { x1: left, x2: width - right, y1: y.at(tick), y2: y.at(tick), class: "grid" }),
               node("text", { x: left - 6, y: y.at(tick) + 4, "text-anchor": "end" }, axisText(tick)));
  }
  svg.append(node("text", { x: (left + width - right) / 2, y: height - 8, "text-anchor": "middle" }, xTitle),
             node("text", { x: 14, y: (top + height - bottom) / 2, "text-anchor": "middle",
                            transform: `rotate(-90 14 ${(top + height - bottom) / 2})` }, yTitle));
  return { svg, x: x.at, y: y.at };
}

function drawCurves(place, runs, column, title) {
  const points = runs.flatMap((run) => run.epoch.map((epoch, i) => [epoch, run[column][i]])).filter((p) => p[1] !== null);
  if (!points.length) return empty(place);
  const { colourOf } = colours(runs);
  const { svg, x, y } = frame(points, "epoch", title);
  for (const run of runs.filter((candidate) => candidate.epoch.length)) {
    let pen = "M";
    const path = run.epoch.map((epoch, i) => {
      if (run[column][i] === null) return (pen = "M", "");
      const part = `${pen}${x(epoch).toFixed(1)} ${y(run[column][i]).toFixed(1)}`;
      pen = "L";
      return part;
    }).join("");
    const single = run.epoch.length === 1 && path;
    svg.append(single ? dot(x(run.epoch[0]), y(run[column][0]), run, colourOf(run)) : link(run, node("path",
      { d: path, class: "curve", stroke: colourOf(run) }, node("title", {}, tip(run)))));
  }
  place.replaceChildren(svg);
}

function drawScatter(place, runs, column, title) {
  const shown = runs.filter((run) => run[column] !== null && run.accuracy !== null);
  if (!shown.length) return empty(place);
  const { colourOf } = colours(runs);
  const { svg, x, y } = frame(shown.map((run) => [run[column], run.accuracy]), title, "test accuracy (%)");
  for (const run of shown) svg.append(dot(x(run[column]), y(run.accuracy), run, colourOf(run)));
  place.replaceChildren(svg);
}

function dot(x, y, run, colour) {
  return link(run, node("circle", { cx: x.toFixed(1), cy: y.toFixed(1), r: 4, fill: colour, class: "dot" },
                        node("title", {}, tip(run))));
}

function link(run, mark) {
  mark.addEventListener("click", () => { location.hash = "run=" + encodeURIComponent(run.name); });
  return mark;
}

function tip(run) {
  return [run.name, ...data.keys.map((key) => `${key}=${valueOf(run, key)}`), `seed=${valueOf(run, "seed")}`].join("\n");
}

function empty(place) {
  place.replaceChildren(node("p", { class: "soft" }, "Nothing to draw in the runs shown."));
}

// --- word lengths ---------------------------------------------------------------------------------------------------

function bitsColour(share) {
  const position = share * (BITS.length - 1), index = Math.min(Math.floor(position), BITS.length - 2);
  const mixed = BITS[index].map((low, i) => Math.round(low + (BITS[index + 1][i] - low) * (position - index)));
  return `rgb(${mixed.join(",")})`;
}

function drawMap(run, low, high, cell) {
  const names = data.layers[run.layers];
  const canvas = node("canvas", { width: data.columns, height: names.length, class: "map",
                                  style: `width:${data.columns * cell}px;height:${names.length * cell}px` });
  const context = canvas.getContext("2d");
  [...run.map].forEach((digit, i) => {
    context.fillStyle = bitsColour(high > low ? (parseInt(digit, 36) - low) / (high - low) : 0.5);
    context.fillRect(i % data.columns, Math.floor(i / data.columns), 1, 1);
  });
  canvas.addEventListener("mousemove", (event) => {
    const column = Math.floor(event.offsetX / cell), layer = Math.floor(event.offsetY / cell);
    const digit = run.map[layer * data.columns + column];
    if (digit) canvas.title = `${names[layer]}: ${parseInt(digit, 36)} bits`;
  });
  return canvas;
}

function bitsRange(runs) {
  const bits = runs.flatMap((run) => [...new Set(run.map)]).map((digit) => parseInt(digit, 36));
  return [Math.min(...bits), Math.max(...bits)];
}

function drawMaps(place, runs) {
  const shown = runs.filter((run) => run.map).slice(0, MOST_MAPS);
  if (!shown.length) return empty(place);
  const [low, high] = bitsRange(shown);
  const legend = node("p", { class: "soft" }, `colour: ${low} bits `);
  for (let i = 0; i <= 20; i++) legend.append(node("span", { class: "swatch", style: `background:${bitsColour(i / 20)}` }));
  legend.append(` ${high} bits; rows: layers, the first on top; columns: training steps from left to right; ` +
                `the first ${shown.length} of ${runs.filter((run) => run.map).length} runs shown in the table that have formats`);
  place.replaceChildren(legend, ...shown.map((run) => node("figure", { class: "small" }, drawMap(run, low, high, 4),
    node("figcaption", {}, node("a", { href: "#run=" + encodeURIComponent(run.name) }, run.name.slice(0, 20)), " " +
      data.keys.slice(0, 4).map((key) => valueOf(run, key)).join(", ")))));
}

// --- one run --------------------------------------------------------------------------------------------------------

function showRun(name) {
  const run = data.runs.find((candidate) => candidate.name === name);
  const place = document.getElementById("details");
  if (!run) return;
  const settings = { ...data.common, ...run.own };
  const table = (values) => node("table", {}, node("tbody", {}, ...Object.keys(values).sort().map((key) =>
    node("tr", key in run.own && values === settings ? { class: "own" } : {}, node("td", {}, key),
         node("td", { class: "text" }, values[key])))));
  const parts = [node("h2", {}, `Run ${run.name}`),
                 node("p", { class: "soft" }, `${run.path} · ${run.state} · `,
                      node("a", { href: filterAddress() || "#", id: "close" }, "close"))];
  if (run.failure) parts.push(node("p", { class: "warning" }, run.failure));
  if (run.map) {
    const [low, high] = bitsRange([run]);
    parts.push(node("h3", {}, `Word lengths, ${low} to ${high} bits`), drawMap(run, low, high, 12));
  }
  parts.push(node("h3", {}, "Configuration"), node("p", { class: "soft" }, "Bold values: not the same in all runs."),
             table(settings), node("h3", {}, "Provenance"), table(run.provenance));
  place.replaceChildren(...parts);
  place.hidden = false;
  document.getElementById("close").addEventListener("click", () => { place.hidden = true; });
  place.scrollIntoView();
}

// --- start ----------------------------------------------------------------------------------------------------------

function drawAll(runs) {
  const at = (id) => document.getElementById(id);
  drawCurves(at("accuracy-curves"), runs, "test_accuracy", "test accuracy (%)");
  drawCurves(at("loss-curves"), runs, "train_loss", "training loss (nat)");
  drawScatter(at("time-scatter"), runs, "seconds", "training time, measured (s)");
  drawScatter(at("cost-scatter"), runs, "cost", "training cost, modelled (multiply-adds × bits)");
  drawMaps(at("maps"), runs);
  at("legend").replaceChildren(...colours(runs).legend.map(([value, colour]) =>
    node("span", {}, node("span", { class: "swatch wide", style: `background:${colour}` }), ` ${value} `)));
}

for (const select of selects) select.addEventListener("change", filterChanged);
find.addEventListener("input", filterChanged);
colourBy.addEventListener("change", () => drawAll(shownRuns()));
document.querySelectorAll("#runs th").forEach((header, column) =>
  header.addEventListener("click", () => sortBy(header, column)));
window.addEventListener("hashchange", readAddress);
applyFilter();
readAddress();
