"""How are hosts, agencies and merchants scored? The formulas, with their numbers.

A `rules` event changes them as it changes what is suspicious. Each file that holds a score prints
the formula that made it. Defaults: chosen, not measured; see `docs/market.md`.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

Weight = Annotated[float, Field(ge=0, le=1_000)]
Rate = Annotated[float, Field(ge=0, le=1_000)]


class MeasureRule(BaseModel):
    """How a rate becomes points, from 0 to 100 along a straight line.

    Attributes:
        usual: the rate that one of whom little is known is taken to have.
        prior: how much that counts: as much as so many of the base.
        full: the rate that has 100 points.
        none: the rate that has 0 points, above `full` or below.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    usual: Rate
    prior: float = Field(gt=0, le=1_000_000)
    full: Rate
    none: Rate

    @model_validator(mode="after")
    def _has_a_slope(self) -> "MeasureRule":
        if self.full == self.none:
            raise PydanticCustomError("slope", "`full` and `none` are the same rate")
        return self


def _measure(usual: float, prior: float, *, full: float = 0.0, none: float) -> MeasureRule:
    return MeasureRule(usual=usual, prior=prior, full=full, none=none)


class CreditWeights(BaseModel):
    """How much each part of the credit score weighs; of what is known they make up the whole."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    integrity: Weight = 40.0
    after_sales: Weight = 30.0
    stickiness: Weight = 15.0
    price_honesty: Weight = 15.0


class CreditRules(BaseModel):
    """The credit score of a host, an agency or a merchant.

    Attributes:
        formula: its version; whoever changes a number gives it another.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    formula: int | str = 1
    weights: CreditWeights = CreditWeights()
    suspected_orders: MeasureRule = _measure(0.005, 200, none=0.1)
    integrity_alerts: MeasureRule = _measure(0.02, 10, none=1)
    complaints: MeasureRule = _measure(0.004, 200, none=0.03)
    quality_refunds: MeasureRule = _measure(0.02, 200, none=0.15)
    breaches: MeasureRule = _measure(0.05, 20, none=0.5)
    returning_viewers: MeasureRule = _measure(0.1, 200, full=0.3, none=0)
    repeat_buyers: MeasureRule = _measure(0.05, 200, full=0.2, none=0)
    price_alerts: MeasureRule = _measure(0.02, 10, none=1)
    price_complaints: MeasureRule = _measure(0.0005, 500, none=0.005)


class DevelopmentRules(BaseModel):
    """The development index of an agency: how much each part weighs.

    Attributes:
        formula: its version; whoever changes a number gives it another.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    formula: int | str = 1
    size: Weight = 50.0
    breadth: Weight = 15.0
    growth: Weight = 15.0
    credit: Weight = 20.0
    worst_growth: float = Field(-0.5, ge=-1, le=0, description="Growth that has 0 points.")
    best_growth: float = Field(0.5, gt=0, le=1_000, description="Growth that has 100 points.")
