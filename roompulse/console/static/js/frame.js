// The top of the page: is it live, what time is it in the log, how far behind; and the platform's sums.
import { addressOf, go, wish } from "./address.js";
import { bar, choice, h, mark, redraw, say } from "./dom.js";
import { amount, clock, count, day, share } from "./format.js";
import { link } from "./stream.js";
import { LANGUAGES, speak, spoken, t } from "./texts.js";

const STALE_SECONDS = 5;
const LOST_SECONDS = 4;
const MUCH_LAG = 20_000;

export const at = (id) => document.getElementById(id);

export function drawTools(redrawAll) {
  const theme = document.documentElement.dataset.theme;
  redraw(at("tools"), [spoken(), theme], () => [
    choice(t("language"), LANGUAGES, spoken(), (language) => {
      speak(language);
      redrawAll();
    }),
    choice(t("theme"), [["dark", "☾", t("dark")], ["light", "☀", t("light")]], theme, (chosen) => {
      localStorage.setItem("roompulse-theme", chosen);
      document.documentElement.dataset.theme = chosen;
      redrawAll();
    }),
  ]);
  for (const button of at("tools").querySelectorAll("button")) button.setAttribute("aria-label", button.title);
}

// Which state the page is in, and since how many seconds nothing came.
function stateOf(status) {
  const silent = (performance.now() - link.seen) / 1000;
  if (link.lost || silent > LOST_SECONDS) return ["lost", 0];
  if (!status.is_live) return ["history", 0];
  const heard = status.heard_ms === null ? null : (status.now_ms - status.heard_ms) / 1000 + silent;
  if (!status.kafka_answers) return ["stale", heard ?? 0];
  if (status.watermark_ms === null) return ["empty", 0];
  return heard !== null && heard > STALE_SECONDS ? ["stale", heard] : ["live", 0];
}

export function drawStatus(status) {
  if (!status) return;
  const [state, seconds] = stateOf(status);
  const box = at("state");
  mark(box, "data-state", state);
  say(box.querySelector(".words"), t(`state_${state}`, { n: Math.floor(seconds) }));
  redraw(at("clock"), [status.watermark_ms, spoken()], () => [
    document.createTextNode(clock(status.watermark_ms, status.zone)),
    h("small", {}, day(status.watermark_ms, status.zone)),
  ]);
  const behind = at("behind");
  say(behind, status.lag === null ? "" : t("lag", { n: count(status.lag) }));
  behind.classList.toggle("much", (status.lag ?? 0) > MUCH_LAG);
  redraw(at("foot"), [status.events, status.duplicate, status.rejected, status.late, status.rooms, spoken()], () =>
    ["rooms", "events", "duplicate", "late", "rejected"].map((name) => h("span", {}, t(`count_${name}`, { n: count(status[name]) }))),
  );
}

export function drawSums(totals) {
  redraw(at("sums-body"), [totals?.sums, spoken()], () => {
    if (!totals?.sums.length) return [h("p", { class: "nothing" }, t("no_sums"))];
    return totals.sums.map(sumOf);
  });
}

function sumOf(sum) {
  const off = sum.net_minor - sum.trusted_minor;
  const whole = h("div", { class: "bar", "aria-hidden": "true" });
  bar(whole, sum, sum.gross_minor);
  const cell = (name, value, extra = "") => h("div", { class: extra }, h("dt", {}, t(name)), h("dd", { "data-sum": name }, value));
  return h(
    "dl",
    { class: "sum", "data-currency": sum.currency },
    cell("gross", amount(sum.gross_minor, sum.digits, sum.currency), "lead"),
    cell("net", amount(sum.net_minor, sum.digits, sum.currency), "lead"),
    cell("trusted", amount(sum.trusted_minor, sum.digits, sum.currency), "lead is-trusted"),
    cell("suspected", [amount(off, sum.digits), h("span", { class: "code" }, share(sum.net_minor ? off / sum.net_minor : null))], "is-suspect"),
    cell("orders", count(sum.orders)),
    cell("visits", count(sum.visits)),
    whole,
  );
}

// Where there is no room for both, one of the two panes is shown.
export function drawPanes(inbox) {
  const { pane } = wish();
  mark(at("main"), "data-pane", pane);
  const open = inbox ? inbox.firing.page + inbox.firing.review + inbox.firing.info : 0;
  redraw(at("panes"), [pane, open, spoken()], () => [
    choice(t("panes"), [["left", t("boards")], ["right", t("alerts_n", { n: open })]], pane, (value) => go({ pane: value })),
  ]);
}

export const roomLink = (roomId, text) => h("a", { href: addressOf({ room: roomId, pane: "left" }) }, h("bdi", {}, text || roomId));
