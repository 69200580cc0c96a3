// The replay that this console steers: play and pause, speed, and where in the session it is.
import { ask } from "./ask.js";
import { h, mark, redraw, say } from "./dom.js";
import { clock, count, decimal } from "./format.js";
import { at } from "./frame.js";
import { spoken, t } from "./texts.js";

const SPEEDS = [1, 5, 20, 60, 200, 600];
const STEP_MS = 60_000;
const MAX = "max";
let dragged = false;

async function tell(asked) {
  const why = await ask("/api/replay", asked);
  say(at("replay-wrong"), why);
}

export function drawReplay(replay, zone) {
  const dock = at("replay");
  dock.hidden = !replay;
  if (!replay) return;
  const chosen = replay.speed ?? MAX;
  const speeds = [...new Set([...SPEEDS, ...(replay.speed ? [replay.speed] : [])])].sort((a, b) => a - b);
  redraw(dock, [replay.file, replay.first_ms, replay.last_ms, speeds, spoken()], () => dockOf(replay, speeds, zone));
  const plays = replay.state === "playing";
  const button = dock.querySelector(".play");
  say(button.querySelector("[aria-hidden]"), plays ? "❚❚" : "▶");
  say(button.querySelector(".unseen"), t(plays ? "pause" : "play"));
  button.title = t(plays ? "pause" : "play");
  mark(button, "data-asks", plays ? "pause" : "play");
  dock.querySelector(".stop").disabled = !["playing", "paused"].includes(replay.state);
  const speed = at("replay-speed");
  if (document.activeElement !== speed) speed.value = String(chosen);
  const place = at("replay-place");
  if (!dragged && replay.event_ms !== null) {
    place.value = replay.event_ms;
    show(place, replay.event_ms, zone);
  }
  const behind = replay.behind_seconds >= 1 ? ` · ${t("replay_behind", { n: decimal(replay.behind_seconds) })}` : "";
  say(dock.querySelector(".doing"), `${t(`replay_${replay.state}`)} · ${t("count_events", { n: count(replay.events) })}${behind}${replay.error ? ` · ${replay.error}` : ""}`);
}

function show(place, ms, zone) {
  const text = clock(Number(ms), zone);
  say(at("replay-now"), text);
  mark(place, "aria-valuetext", text);
}

function dockOf(replay, speeds, zone) {
  const known = replay.first_ms !== null;
  const place = h("input", {
    type: "range", id: "replay-place", "aria-label": t("replay_place"), disabled: !known,
    min: replay.first_ms ?? 0, max: replay.last_ms ?? 1, step: STEP_MS, value: replay.first_ms ?? 0,
    oninput: () => {
      dragged = true;
      show(place, place.value, zone);
    },
    onchange: async () => {
      await tell({ action: "seek", to_ms: Number(place.value) });
      dragged = false;
    },
  });
  return [
    h("div", { class: "buttons" },
      h("button", { type: "button", class: "play primary", "data-value": "play", onclick: (event) => tell({ action: event.currentTarget.dataset.asks }) },
        h("span", { "aria-hidden": "true" }), h("span", { class: "unseen" })),
      h("button", { type: "button", class: "stop", "data-value": "stop", title: t("stop"), onclick: () => tell({ action: "stop" }) },
        h("span", { "aria-hidden": "true" }, "■"), h("span", { class: "unseen" }, t("stop"))),
      h("select", { id: "replay-speed", "aria-label": t("speed"), onchange: (event) => tell({ action: "speed", speed: event.target.value === MAX ? null : Number(event.target.value) }) },
        speeds.map((one) => h("option", { value: String(one) }, `×${one}`)), h("option", { value: MAX }, t("speed_max")))),
    h("div", { class: "line-of-time" },
      h("span", { class: "small" }, clock(replay.first_ms, zone)), place, h("span", { class: "small" }, clock(replay.last_ms, zone))),
    h("p", { class: "where" }, h("strong", { id: "replay-now" }, clock(replay.event_ms, zone)), h("span", { class: "doing small" })),
    h("p", { class: "about small" }, h("bdi", {}, replay.file), ` · ${t("replay_note")}`),
    h("p", { id: "replay-wrong", class: "wrong", role: "alert" }),
  ];
}
