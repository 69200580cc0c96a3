"""Why an input is refused: one closed list of reasons, one exception that carries them.

An `InputError` is expected: it is counted by its reason, the record is kept with its coordinates,
and its neighbours go on (DESIGN section 3).
"""

from typing import Literal, get_args

Reason = Literal["not_json", "unknown_type", "invalid_field", "too_large", "over_refund", "future"]
REASONS: tuple[Reason, ...] = get_args(Reason)


class InputError(Exception):
    """An input that the contract refuses.

    Attributes:
        reason: one of `REASONS`.
        detail: what is wrong, in words a person can act on; never the record itself.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason: Reason = reason
        self.detail = detail
