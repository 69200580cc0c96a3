"""What is called suspicious: the rule set, versioned, validated, and part of the log.

A `rules` event puts a set in force from its place in the log on; what it leaves out keeps its
default. Unknown names are ignored, as everywhere in the contract, so that an older worker can read
a newer log; a set whose `format` is not known is refused whole, so that no worker applies half of
what it does not understand. Defaults: measured or chosen, see `docs/detectors.md`.
"""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from schemas.detector_rules import (
    ComplaintSurgeRules,
    DetectorRules,
    FakeViewersRules,
    GmvMilestoneRules,
    HotItemRules,
    IdentityRingRules,
    ListPriceInflationRules,
    Minutes,
    OffPlatformPaymentRules,
    PriceWarRules,
    RefundSurgeRules,
    SaleAfterDelistingRules,
    Score,
    Share,
    SlaBreachRules,
    StockOutRules,
    TrafficDropRules,
)
from schemas.errors import InputError
from schemas.events import Party
from schemas.score_rules import CreditRules, DevelopmentRules

FORMAT = 1  # raised when an older worker would misread a set by ignoring what it does not know

Family = Literal["presence", "identity", "account", "money_back"]


class SignRule(BaseModel):
    """How one yes/no sign of an order weighs.

    Attributes:
        enabled: whether it is looked at.
        base: share among normal orders; where the running estimate starts.
        under_attack: share that is assumed under attack.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    enabled: bool = True
    base: Share
    under_attack: Share


def _sign(base: float, under_attack: float) -> SignRule:
    return SignRule(base=base, under_attack=under_attack)


class BrushingRules(DetectorRules):
    """When orders of a room are suspected to be brushed."""

    repeat_buyer: SignRule = _sign(0.01, 0.4)
    no_visit: SignRule = _sign(0.03, 0.5)
    tiny_dwell: SignRule = _sign(0.01, 0.5)
    shared_device: SignRule = _sign(0.015, 0.5)
    shared_payment: SignRule = _sign(0.01, 0.4)
    shared_address: SignRule = _sign(0.025, 0.4)
    quick_refund: SignRule = _sign(0.015, 0.5)
    young_account: SignRule = _sign(0.04, 0.35)

    repeat_orders: int = Field(3, ge=2, description="Orders of one buyer in an hour.")
    visit_minutes: Minutes = Field(30, description="A view so long before the order is a visit.")
    tiny_dwell_ms: int = Field(10_000, ge=1, description="Entered less than this before buying.")
    device_buyers: int = Field(3, ge=2)
    payment_buyers: int = Field(3, ge=2)
    address_buyers: int = Field(4, ge=2)
    crowd_buyers: int = Field(
        20, ge=2, description="A device, account or address of more buyers says nothing."
    )
    quick_refund_minutes: Minutes = 30
    young_days: int = Field(7, ge=1)

    decay_minutes: Minutes = Field(120, description="Evidence fades by 1/e in this time.")
    cell: Score = Field(2.5, description="A sign counts towards a tier from this weight on.")
    review: Score = Field(15.0, description="Score of a review: two signs.")
    page: Score = Field(30.0, description="Score of a page: two families.")
    review_meeting_orders: int = Field(
        3, ge=1, description="So many orders have two strong signs, for a review."
    )
    page_meeting_orders: int = Field(
        5, ge=1, description="So many orders have strong signs of two families, for a page."
    )
    times_chance: Score = Field(
        3.0,
        description="Signs that meet count where they meet so many times as often as by chance.",
    )
    common_share: Share = Field(
        0.3, description="A sign that more orders have in three rooms of four says nothing."
    )
    mark: float = Field(2.0, description="Weight from which an order itself is suspected.")


class ComplaintParties(BaseModel):
    """Who answers for a complaint of which kind, where no event names a party."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    quality: Party = "merchant"
    counterfeit: Party = "merchant"
    false_advertising: Party = "host"
    price_fraud: Party = "host"
    off_platform_payment: Party = "host"
    after_sales_refused: Party = "merchant"
    delivery: Party = "platform"
    other: Party = "platform"


class RefundParties(BaseModel):
    """Who answers for a refund of which reason."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    quality: Party = "merchant"
    not_as_described: Party = "host"
    wrong_item: Party = "merchant"
    not_received: Party = "platform"
    changed_mind: Party = "consumer"
    price: Party = "consumer"
    cancelled: Party = "consumer"
    other: Party = "platform"


class AfterSalesRules(BaseModel):
    """Who answers for what came back, and how soon."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    complaint_party: ComplaintParties = ComplaintParties()
    refund_party: RefundParties = RefundParties()
    first_reply_minutes: Minutes = Field(120, description="From opening to the first reply.")
    resolution_minutes: Minutes = Field(2_880, description="From opening to the solution.")


class RuleSet(BaseModel):
    """All rules.

    Attributes:
        format: of the set itself; what is said of another format is not read.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    # first, so that it is the first to be named where a set is wrong
    format: int = FORMAT
    brushing: BrushingRules = BrushingRules()
    sale_after_delisting: SaleAfterDelistingRules = SaleAfterDelistingRules()
    refund_surge: RefundSurgeRules = RefundSurgeRules()
    complaint_surge: ComplaintSurgeRules = ComplaintSurgeRules()
    stock_out: StockOutRules = StockOutRules()
    gmv_milestone: GmvMilestoneRules = GmvMilestoneRules()
    sla_breach: SlaBreachRules = SlaBreachRules()
    list_price_inflation: ListPriceInflationRules = ListPriceInflationRules()
    identity_ring: IdentityRingRules = IdentityRingRules()
    price_war: PriceWarRules = PriceWarRules()
    hot_item: HotItemRules = HotItemRules()
    fake_viewers: FakeViewersRules = FakeViewersRules()
    traffic_drop: TrafficDropRules = TrafficDropRules()
    off_platform_payment: OffPlatformPaymentRules = OffPlatformPaymentRules()
    after_sales: AfterSalesRules = AfterSalesRules()
    credit: CreditRules = CreditRules()
    development: DevelopmentRules = DevelopmentRules()

    @field_validator("format", mode="before")
    @classmethod
    def _is_known(cls, value: object) -> object:
        if type(value) is not int or value != FORMAT:
            raise PydanticCustomError(
                "format", f"Rules of format {value!r} are not known here, only {FORMAT}"
            )
        return value


DEFAULT_RULES = RuleSet()


def rule_set(rules: object) -> RuleSet:
    """The rule set that a `rules` event holds.

    Raises:
        InputError: with the field and the reason, if it does not validate.
    """
    try:
        return RuleSet.model_validate(rules)
    except ValidationError as error:
        first = _fault(error.errors(include_url=False)[0])
        where = f".{first.field}" if first.field else ""
        raise InputError("invalid_field", f"{first.reason} - at `$.rules{where}`") from None


class Fault(NamedTuple):
    """What is wrong with a rule set: a field as `brushing.page`, empty for the whole, and why."""

    field: str
    reason: str


def faults(rules: object) -> list[Fault]:
    """Everything that is wrong with a rule set that a person wrote; empty if nothing is.

    Unlike in the log, a name that is not known is wrong here: it is a slip of the pen.
    """
    found = list(_unknown(rules, RuleSet, ""))
    try:
        RuleSet.model_validate(rules)
    except ValidationError as error:
        found += map(_fault, error.errors(include_url=False))
    return found


def _fault(details: ErrorDetails) -> Fault:
    return Fault(".".join(str(part) for part in details["loc"]), details["msg"])


def _unknown(rules: object, model: type[BaseModel], within: str) -> Iterator[Fault]:
    if not isinstance(rules, dict):
        return
    for name, value in rules.items():
        known = model.model_fields.get(name)
        if known is None:
            close = get_close_matches(str(name), model.model_fields, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            yield Fault(f"{within}{name}", f"There is no such rule{hint}")
        elif isinstance(known.annotation, type) and issubclass(known.annotation, BaseModel):
            yield from _unknown(value, known.annotation, f"{within}{name}.")
