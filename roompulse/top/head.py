"""What stands above the lists: can the figures be believed, and what do all rooms come to?"""

from rich.text import Text

from roompulse.cli.board_view import money, time_of
from roompulse.standing import Standing, platform_of
from roompulse.top.state import State

_ODD = ("late", "duplicate", "rejected", "future")


def state(where: str, now: State, standing: Standing) -> Text:
    """Where from, how things stand, what became of the events."""
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f" {now.word} ", style="bold reverse green" if now.is_good else "bold reverse red")
    text.append(f" {now.sentence}", style="" if now.is_good else "bold")
    counts = standing.counts
    parts = [where, f"{counts.events:,} events"]
    if standing.lag is not None:
        parts.append(f"lag {standing.lag:,}")
    parts.append(f"event time {time_of(standing.watermark_ms)}")
    parts += [f"{getattr(counts, name):,} {name}" for name in _ODD if getattr(counts, name)]
    text.append("\n" + "  ".join(parts), style="dim")
    return text


def platform(standing: Standing, currency: str | None) -> Text:
    """The money of all rooms three ways, in the currency that is looked at."""
    board = standing.board("mode", "total", currency)
    if board is None:
        return Text("no sums yet", style="dim")
    sums = platform_of(board, currency or "currency unknown")
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"All rooms, {sums.currency}:")
    for way in ("gross", "net", "trusted"):
        text.append(f"  {way} ")
        text.append(money(getattr(sums, f"{way}_minor"), board.currency), style="bold")
    text.append(f"  {sums.orders:,} orders  {sums.visits:,} visits", style="dim")
    return text
