"""What do orders cost, which are dearer than views? For sizing by orders a second."""

from benchmarks.context import Context, Figures

_ROOMS = 1_000


def measure(context: Context) -> Figures:
    """Fold nothing but orders, without a broker."""
    orders = context.sizes.session_events
    return dict(context.run_program("order_rush", _ROOMS, orders))
