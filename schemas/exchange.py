"""What a rate table holds: what one unit of each currency was worth in a base currency on a day.

The file is a YAML object `{base, date, rates}`; `rates` says for each currency how many major units
of the base one major unit of it is: `{base: CNY, date: 2026-11-11, rates: {USD: 7.12}}`. Rates are
decimal numbers as written, not binary fractions, so that sums come out the same everywhere.
"""

from decimal import Decimal
from typing import Annotated

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from schemas.calendar import Day
from schemas.events import Currency

_GREATEST = Decimal(10) ** 9


class RateTableError(ValueError):
    """A rate table cannot be used; the message says which entry and why."""


def _only_a_number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError("is no number; write one like 7.12")  # noqa: TRY004 - what pydantic expects
    return value


Rate = Annotated[
    Decimal, BeforeValidator(_only_a_number), Field(gt=0, le=_GREATEST, allow_inf_nan=False)
]


class RateTable(BaseModel):
    """The rates of one day.

    Attributes:
        base: the currency into which money is turned.
        date: of the rates; shown with every figure that was made by them.
        rates: major units of the base for one major unit of each other currency.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    base: Currency
    date: Day
    rates: dict[Currency, Rate] = Field(min_length=1)

    @model_validator(mode="after")
    def _base_is_one(self) -> "RateTable":
        if self.rates.get(self.base, 1) != 1:
            raise ValueError(f"one {self.base} is one {self.base}; leave the base out of the rates")
        return self


def rate_table_of(entries: object) -> RateTable:
    """A parsed rate table.

    Raises:
        RateTableError: it is none.
    """
    try:
        return RateTable.model_validate(entries)
    except ValidationError as error:
        problem = error.errors()[0]
        field = ".".join(str(part) for part in problem["loc"] if part != "[key]")
        message = problem["msg"].removeprefix("Value error, ")
        where = f"{field}: " if field else ""
        raise RateTableError(f"{where}{message[0].lower() + message[1:]}") from None
