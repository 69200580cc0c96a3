"""A threshold in many settings: `brushing.page=20:60:5`, or `brushing.page=20,30,60`."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from schemas.rules import RuleSet, faults

MOST_SETTINGS = 200
_RANGE_PARTS = 3


class SweepError(Exception):
    """A sweep that cannot be made; the text is one line that says what to write."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One value of the rule that is swept, and all rules with it."""

    value: float
    rules: RuleSet


def settings_of(sweep: str, base: RuleSet) -> tuple[str, list[Setting]]:
    """The name of the rule that is swept, and each of its settings on top of a rule set.

    Raises:
        SweepError: it is not written as it should be, there is no such rule, or it cannot have
            one of the values.
    """
    name, equals, values = sweep.partition("=")
    if not equals:
        raise SweepError(f"{sweep!r} is no sweep: write brushing.page=20:60:5 or =20,30,60")
    return name, [Setting(float(value), _with(base, name, value)) for value in _values(values)]


def _values(text: str) -> list[Decimal]:
    try:
        if ":" not in text:
            return [_finite(part) for part in text.split(",")]
        parts = [_finite(part) for part in text.split(":")]
        if len(parts) != _RANGE_PARTS or parts[2] <= 0 or parts[1] < parts[0]:
            raise SweepError(f"{text!r} is no range: write first:last:step")
        first, last, step = parts
        if (last - first) / step >= MOST_SETTINGS:
            raise SweepError(f"{text!r} has more than {MOST_SETTINGS} settings")
        return [first + step * number for number in range(int((last - first) / step) + 1)]
    except InvalidOperation:
        raise SweepError(f"{text!r} holds something that is no number") from None


def _finite(text: str) -> Decimal:
    value = Decimal(text.strip())
    if not value.is_finite():
        raise InvalidOperation
    return value


def _with(base: RuleSet, name: str, value: Decimal) -> RuleSet:
    rules: dict[str, Any] = base.model_dump()
    *path, last = name.split(".")
    within = rules
    for part in path:
        inner = within.setdefault(part, {})
        if not isinstance(inner, dict):
            raise SweepError(f"{name}: {part} holds no rules")
        within = inner
    if isinstance(within.get(last), dict):
        raise SweepError(f"{name}: holds several rules; name one, as {name}.base")
    within[last] = int(value) if value == value.to_integral_value() else float(value)
    found = faults(rules)
    if found:
        raise SweepError(f"{found[0].field}={value}: {found[0].reason}")
    return RuleSet.model_validate(rules)
