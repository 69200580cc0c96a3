// How figures are written: money in major units with its currency, times in the zone of the boards.
import { h } from "./dom.js";
import { locale, t } from "./texts.js";

const made = new Map();
const NOTHING = "–";

function numbers(options) {
  const key = locale() + JSON.stringify(options);
  if (!made.has(key)) made.set(key, new Intl.NumberFormat(locale(), options));
  return made.get(key);
}

function times(options) {
  const key = `t${locale()}${JSON.stringify(options)}`;
  if (!made.has(key)) made.set(key, new Intl.DateTimeFormat(locale(), options));
  return made.get(key);
}

export function money(minor, digits) {
  if (minor === null || minor === undefined) return NOTHING;
  return numbers({ minimumFractionDigits: digits, maximumFractionDigits: digits }).format(minor / 10 ** digits);
}

// An amount as an element that also holds the exact minor units.
export function amount(minor, digits, currency) {
  const element = h("data", { value: minor, class: "amount" }, money(minor, digits));
  return currency ? h("span", {}, element, h("span", { class: "code" }, currency)) : element;
}

export const count = (value) => (value === null || value === undefined ? NOTHING : numbers({}).format(value));

export const share = (value, digits = 1) =>
  value === null || value === undefined
    ? NOTHING
    : numbers({ style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);

export const ratio = (value) =>
  value === null || value === undefined ? NOTHING : `×${numbers({ minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(value)}`;

export const decimal = (value, digits = 1) =>
  value === null || value === undefined ? NOTHING : numbers({ minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);

export function clock(ms, zone) {
  if (ms === null || ms === undefined) return NOTHING;
  return times({ timeZone: zone, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }).format(ms);
}

export function minute(ms, zone) {
  if (ms === null || ms === undefined) return NOTHING;
  return times({ timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(ms);
}

export function day(ms, zone) {
  if (ms === null || ms === undefined) return NOTHING;
  return times({ timeZone: zone, year: "numeric", month: "short", day: "numeric" }).format(ms);
}

export function duration(ms) {
  if (ms === null || ms === undefined) return NOTHING;
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return t("seconds", { n: count(seconds) });
  if (seconds < 7200) return t("minutes", { n: count(Math.round(seconds / 60)) });
  return t("hours", { n: decimal(seconds / 3600) });
}
