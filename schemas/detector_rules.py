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
