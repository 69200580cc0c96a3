// Keeps a stream of sections open, and says what is wrong with it. The browser connects again itself;
// where it gives up (logged out, server gone for long), this tries again.
import { question } from "./address.js";

const SECTIONS = ["status", "totals", "headlines", "board", "inbox", "room", "card", "replay"];
const AGAIN_MS = 2000;
let source = null;
let asked = null;
let retry = 0;

export const link = { lost: false, seen: 0 };

export function follow(take, told) {
  const wanted = question();
  if (source && asked === wanted && source.readyState !== EventSource.CLOSED) return;
  source?.close();
  clearTimeout(retry);
  asked = wanted;
  source = new EventSource(`/api/stream?${wanted}`);
  source.onopen = () => {
    link.lost = false;
    told();
  };
  source.onerror = () => {
    link.lost = true;
    told();
    if (source.readyState === EventSource.CLOSED) retry = setTimeout(() => follow(take, told), AGAIN_MS);
  };
  for (const name of SECTIONS) {
    source.addEventListener(name, (event) => {
      link.lost = false;
      link.seen = performance.now();
      take(name, JSON.parse(event.data));
    });
  }
}
