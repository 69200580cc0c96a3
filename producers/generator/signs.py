"""What a viewer in a room does at a sign of life: an action, or a mere heartbeat."""

from bisect import bisect_right

from producers.generator import parameters as p
from schemas.events import Action

# So long after a listing people comment more, by this factor.
BUSY_MS = 60_000
_BUSY_COMMENTS = 3

_SHARES: tuple[tuple[Action, float], ...] = (
    ("like", p.LIKE_SHARE),
    ("click", p.CLICK_SHARE),
    ("comment", p.COMMENT_SHARE),
    ("cart", p.CART_SHARE),
    ("share", p.SHARE_SHARE),
    ("follow", p.FOLLOW_SHARE),
    ("gift", p.GIFT_SHARE),
)
_ACTIONS: tuple[Action, ...] = (*(action for action, _ in _SHARES), "heartbeat")


def _thresholds(comment_factor: float) -> list[float]:
    found, total = [], 0.0
    for action, share in _SHARES:
        total += share * comment_factor if action == "comment" else share
        found.append(total)
    return found


_USUAL, _BUSY = _thresholds(1), _thresholds(_BUSY_COMMENTS)


def sign_of_life(luck: float, *, busy: bool) -> Action:
    """The action for a luck in 0 to 1; `busy` just after a listing."""
    return _ACTIONS[bisect_right(_BUSY if busy else _USUAL, luck)]
