"""When is something in a room called suspicious? The rules of each detector, with their defaults.

`schemas.rules.RuleSet` puts them together. Defaults: measured or chosen, see `docs/detectors.md`.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(gt=0, lt=1)]
Score = Annotated[float, Field(gt=0)]
Minutes = Annotated[int, Field(ge=1, le=7 * 24 * 60)]


class DetectorRules(BaseModel):
    """What every detector has."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    enabled: bool = Field(True, description="One that is off takes no evidence and costs nothing.")
    quiet_minutes: Minutes = Field(30, description="An incident without new evidence ends.")


class SaleAfterDelistingRules(DetectorRules):
    """When a product that was taken off is suspected to be sold on."""

    orders: int = Field(3, ge=1, description="So many orders after it was taken off.")
    grace_seconds: int = Field(
        60, ge=0, le=3600, description="An order so soon after it was on its way already."
    )


class SurgeRules(DetectorRules):
    """When a share of orders is far above what is normal."""

    window_minutes: int = Field(60, ge=5, le=24 * 60, description="How far back it looks.")
    tail: Share = Field(1e-5, description="So unlikely must it be if nothing is wrong.")
    prior_orders: int = Field(
        200, ge=1, description="What is normal starts with the weight of so many orders."
    )


class RefundSurgeRules(SurgeRules):
    """When too much of what was sold lately comes back at once."""

    buyers: int = Field(6, ge=1, description="So many buyers sent something back.")
    correlation: Share = Field(
        0.10, description="Of two orders of a room, whether they ever come back: measured."
    )
    soon_share: Share = Field(
        0.10, description="Of what ever comes back, so much does within an hour: measured."
    )
    usual_returns: Share = Field(0.30, description="Ever comes back, in a category not below.")
    returns: dict[str, Share] = Field(
        {
            "womens_wear": 0.55,
            "clothing": 0.30,
            "jewellery": 0.35,
            "home": 0.13,
            "beauty": 0.12,
            "electronics": 0.08,
            "food": 0.03,
        },
        description="Share of orders that ever come back, by category of the room.",
    )


class ComplaintSurgeRules(SurgeRules):
    """When too many buyers complain at once."""

    complaints: int = Field(4, ge=1, description="So many complaints.")
    buyers: int = Field(3, ge=1, description="Of so many buyers.")
    usual_complaints: Share = Field(0.004, description="Complaints of an order.")
    correlation: Share = Field(0.005, description="Of two orders of a room, to be complained of.")
    later_share: Share = Field(
        0.04, description="Of complaints about all that a room ever sold, so many in an hour."
    )


class StockOutRules(DetectorRules):
    """When a product is told to have run out: when as much was sold as there was."""


class GmvMilestoneRules(DetectorRules):
    """Which sums of gross GMV of a room are told."""

    milestones_major: tuple[Annotated[int, Field(ge=1, le=10**12)], ...] = Field(
        (10_000_000, 100_000_000),
        min_length=1,
        max_length=20,
        description="Sums in major units of the room's currency.",
    )


class SlaBreachRules(DetectorRules):
    """When complaints that were not answered in time are told; the levels are in `after_sales`."""


class ListPriceInflationRules(DetectorRules):
    """When a list price is suspected to have been raised to be discounted from."""

    orders: int = Field(3, ge=1, description="So many orders far below the list price.")
    raised_within_hours: int = Field(24, ge=1, le=168, description="The raise is so recent,")
    raise_share: float = Field(0.1, gt=0, le=100, description="and by so much at least.")
    paid_share: Share = Field(0.5, description="Paid is less than this of the list price.")


class HotItemRules(DetectorRules):
    """When a product is told to sell far above what its room is used to."""

    window_minutes: int = Field(5, ge=1, le=60, description="How far back its buyers count.")
    base_minutes: int = Field(60, ge=5, le=24 * 60, description="What is usual: so long before.")
    known_minutes: int = Field(15, ge=1, le=24 * 60, description="Of these, so many are known.")
    listing_minutes: int = Field(
        5, ge=0, le=24 * 60, description="What sells so soon after listing says nothing."
    )
    buyers: int = Field(50, ge=1, description="So many buyers; a coupon draws fewer in a shop.")
    times: Score = Field(3.0, description="So many times the usual orders of the whole room.")
    tail: Share = Field(1e-6, description="So unlikely must it be if nothing is new.")
    dispersion: Score = Field(
        0.25, description="How much orders vary from hour to hour, squared: measured."
    )


class IdentityRingRules(DetectorRules):
    """When buyers are suspected to place orders together, in one room or in several."""

    buyers: int = Field(5, ge=2, description="A ring has so many buyers.")
    orders: int = Field(10, ge=1, description="They placed so many orders in 24 h")
    rooms: int = Field(3, ge=1, le=20, description="in so many rooms at most.")
    crowd_buyers: int = Field(
        20, ge=2, description="A device, account or address of more buyers ties nobody."
    )
    page: Score = Field(
        8.0, description="Weight of a sign of another family among its orders, for a page."
    )
    page_orders: int = Field(5, ge=1, description="So many of its orders have that sign.")
    same_rooms: int = Field(
        3, ge=2, le=8, description="A crowd bought in so many rooms of different hosts,"
    )
    same_buyers: int = Field(5, ge=2, description="so many of them in the same ones,")
    crowd: Score = Field(15.0, description="with a sign of so much weight beyond chance")
    crowd_share: Share = Field(0.25, description="that so many of all their orders there have.")


class PriceWarRules(DetectorRules):
    """When rooms that undercut each other are told of; what a war is, is a definition."""

    quiet_minutes: Minutes = Field(60, description="A war without another turn has ended.")


class FakeViewersRules(DetectorRules):
    """When viewers of a room are suspected to be bought."""

    correlation: Share = Field(
        0.05,
        description="Of two visits of one minute, whether they are over at once: people who come"
        " together have a cause in common.",
    )
    attack_share: Share = Field(
        0.6, description="So many of those who come, or are there, are bought under attack."
    )
    silence_dispersion: float = Field(
        4.0, ge=1, description="What viewers do varies so many times as much as by chance."
    )
    together_share: Share = Field(0.2, description="So many of those online leave in one minute.")
    devices_by_viewer: Share = Field(
        0.7, description="Fewer devices by viewer than this part of what is normal is a sign."
    )
    stays: int = Field(
        60, ge=10, description="So many longer visits must have ended for their shape to be judged."
    )
    taught_visits: int = Field(
        100, ge=1, description="A partition must have seen so many visits to know what is normal."
    )
    rarely_silent: Share = Field(
        0.1, description="Where so few normal visits of a length are silent, one that is has a name"
        " among the suspected viewers of a page."
    )  # fmt: skip
    decay_minutes: Minutes = Field(45, description="Evidence fades by 1/e in this time.")
    cell: Score = Field(5.0, description="A family of evidence counts from this weight on.")
    review: Score = Field(18.0, description="Score of a review.")
    page: Score = Field(30.0, description="Score of a page: two families.")


class TrafficDropRules(DetectorRules):
    """When a room is told to have lost its audience."""

    base_minutes: int = Field(
        20, ge=4, le=240, description="What is usual: what three of four of these minutes reach."
    )
    known_minutes: int = Field(10, ge=4, le=240, description="Of these, so many are known.")
    held_minutes: int = Field(2, ge=1, le=30, description="The drop has lasted for so long.")
    online: int = Field(50, ge=1, description="So many were online; of fewer it says nothing.")
    online_share: Share = Field(0.5, description="Online is less than this of what is usual.")
    arrivals: int = Field(50, ge=1, description="So many came in five minutes, or it says nothing.")
    arrivals_share: Share = Field(0.2, description="Who comes is less than this of the usual,")
    online_at_arrivals: int = Field(20, ge=1, description="while so many were online,")
    online_share_at_arrivals: Share = Field(0.75, description="and less than this of them is.")


class OffPlatformPaymentRules(DetectorRules):
    """When buyers are suspected to be led to pay outside of the platform."""

    window_minutes: int = Field(60, ge=5, le=24 * 60, description="How far back complaints count.")
    complaints: int = Field(2, ge=1, description="So many buyers complain of it,")
    usual_complaints: Share = Field(0.0002, description="where so many of the orders' buyers do,")
    tail: Share = Field(1e-3, description="and so unlikely is it if nothing is wrong;")
    dispersion: Score = Field(0.5, description="counts vary more than chance, squared.")
    cancelling_buyers: int = Field(
        3, ge=1, description="Or one complains and so many cancel and stay,"
    )
    conversion_minutes: int = Field(20, ge=5, le=240, description="while in the last minutes")
    conversion_share: Share = Field(0.7, description="who comes buys less than this of before,")
    stay_share: Share = Field(0.7, description="and more than this of the audience is still there.")
    base_minutes: int = Field(60, ge=10, le=24 * 60, description="Before: so many minutes,")
    known_minutes: int = Field(20, ge=5, le=24 * 60, description="of which so many are known,")
    base_orders: int = Field(10, ge=1, description="with so many orders.")
