"""What may a page ask to be done, and is what came such a thing?"""

from typing import TypeVar

import msgspec

from roompulse.console.wish import LONGEST_ID
from roompulse.known import Known
from roompulse.verdicts import LONGEST_NOTE
from schemas.records import Judgement, Verdict


class AskError(Exception):
    """What was asked cannot be done; the text is one line that says why."""


class _VerdictAsked(msgspec.Struct, forbid_unknown_fields=True):
    """What a page says of an alert."""

    alert_id: str
    verdict: Judgement
    note: str = ""


Asked = TypeVar("Asked")


def verdict_asked(body: bytes, known: Known, now_ms: int) -> Verdict:
    """The verdict that the body of a request gives.

    Raises:
        AskError: it gives none, or there is no such alert.
    """
    asked = decoded(body, _VerdictAsked)
    if len(asked.note) > LONGEST_NOTE:
        raise AskError(f"a note has at most {LONGEST_NOTE} characters")
    if len(asked.alert_id) > LONGEST_ID or known.alerts.get(asked.alert_id) is None:
        raise AskError("there is no such alert")
    return Verdict(asked.alert_id, asked.verdict, now_ms, asked.note)


def decoded(body: bytes, kind: type[Asked]) -> Asked:
    """The body of a request as what it should be.

    Raises:
        AskError: it is something else.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise AskError(f"this cannot be asked: {error}") from None
