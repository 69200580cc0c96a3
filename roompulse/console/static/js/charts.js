// Minute curves by uPlot: colours of the page, times of the boards' zone, marks of products.
import { count, minute, money } from "./format.js";
import { t } from "./texts.js";

const drawn = new Map();

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Draws a chart into a place, or gives a drawn one its new data; `shape` is what asks for a new one.
export function chart(place, shape, data, marks, options) {
  const key = JSON.stringify([shape, document.documentElement.dataset.theme]);
  const known = drawn.get(place);
  if (known && known.key === key) {
    known.marks.splice(0, Infinity, ...marks);
    known.plot.setData(data);
    return;
  }
  known?.watch.disconnect();
  known?.plot.destroy();
  const kept = [...marks];
  const plot = new window.uPlot(settings(place.clientWidth, kept, options), data, place);
  const watch = new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: options.height }));
  watch.observe(place);
  drawn.set(place, { key, plot, marks: kept, watch });
}

export function forget() {
  for (const [place, { plot, watch }] of drawn) {
    if (place.isConnected) continue;
    watch.disconnect();
    plot.destroy();
    drawn.delete(place);
  }
}

function settings(width, marks, { height, zone, series, digits }) {
  const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
  const asMoney = (minor) => (digits === undefined ? count(minor) : money(minor, digits));
  return {
    width,
    height,
    ms: 1,
    cursor: { y: false, drag: { x: true, y: false } },
    legend: { live: true },
    scales: { x: { time: true }, y: { range: (_, __, most) => [0, Math.max(most || 0, 1) * 1.08] } },
    axes: [
      { ...axis, size: 30, values: (_, ticks) => ticks.map((ms) => minute(ms, zone)), grid: { show: false } },
      { ...axis, size: 58, values: (_, ticks) => ticks.map((value) => (digits === undefined ? count(value) : compact(value / 10 ** digits))) },
    ],
    series: [
      { label: t("time"), value: (_, ms) => (ms === null ? "" : minute(ms, zone)) },
      ...series.map(({ name, tone, fill, dash }) => ({
        label: t(name), stroke: colour(tone), width: 2, dash, points: { show: false },
        fill: fill ? `${colour(tone)}2e` : undefined,
        value: (_, value) => (value === null ? "" : asMoney(value)),
      })),
    ],
    hooks: { draw: [(plot) => drawMarks(plot, marks)] },
  };
}

const compact = (value) => new Intl.NumberFormat(document.documentElement.lang, { notation: "compact" }).format(value);

function drawMarks(plot, marks) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = colour("--suspect");
  ctx.fillStyle = colour("--suspect");
  ctx.globalAlpha = 0.75;
  for (const mark of marks) {
    const x = plot.valToPos(mark.ts_ms, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x - 4, bbox.top);
    ctx.lineTo(x + 4, bbox.top);
    ctx.lineTo(x, bbox.top + 7);
    ctx.fill();
  }
  ctx.restore();
}
