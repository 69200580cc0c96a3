// Puts the page together: sections come by the stream, what a person chooses stands in the address.
import { addressOf, followLinks, go, onMove, wish } from "./address.js";
import { drawBoard } from "./board.js";
import { drawCard } from "./card.js";
import { at, drawPanes, drawStatus, drawSums, drawTools } from "./frame.js";
import { drawHeadlines } from "./headlines.js";
import { drawInbox } from "./inbox.js";
import { drawRoom } from "./room.js";
import { follow } from "./stream.js";
import { loadTexts, t } from "./texts.js";

const shown = {};
let asked = false;

function draw() {
  asked = false;
  const now = wish();
  const status = shown.status ?? { zone: "UTC", is_live: true };
  drawTools(draw);
  drawStatus(shown.status);
  drawSums(shown.totals);
  drawHeadlines(shown.headlines, shown.inbox, status);
  drawPanes(shown.inbox);
  if (now.room) drawRoom(at("left"), shown.room?.summary.room_id === now.room ? shown.room : null);
  else drawBoard(at("left"), shown.board ?? null, shown.totals);
  if (now.alert) drawCard(at("right"), shown.card?.alert_id === now.alert ? shown.card : null, status);
  else drawInbox(at("right"), shown.inbox, status);
  const pages = shown.inbox?.unjudged.page ?? 0;
  document.title = pages ? `(${pages}) Roompulse · ${t("pages")}` : "Roompulse";
}

// A hidden page draws nothing; the newest waits for it.
function later() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(draw);
}

function take(name, section) {
  shown[name] = section;
  later();
}

function moved() {
  follow(take, later);
  later();
}

function keys(event) {
  const now = wish();
  if (event.key === "Escape" && (now.alert || now.room)) go(now.alert ? { alert: "" } : { room: "" });
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const list = event.target.closest(".inbox, .board tbody");
  if (!list || event.target.tagName !== "A") return;
  const links = [...list.querySelectorAll("a")];
  const next = links[links.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)];
  if (next) {
    event.preventDefault();
    next.focus();
  }
}

await loadTexts();
followLinks();
onMove(moved);
addEventListener("keydown", keys);
setInterval(() => drawStatus(shown.status), 1000);
if (location.pathname !== "/") history.replaceState(null, "", addressOf({}));
moved();
