"""The dashboards, in the order of Grafana's list."""

from deploy.grafana.dashboards.after_sales import AFTER_SALES
from deploy.grafana.dashboards.integrity import INTEGRITY
from deploy.grafana.dashboards.market import MARKET
from deploy.grafana.dashboards.pipeline import PIPELINE
from deploy.grafana.dashboards.room import ROOM_PAGE
from deploy.grafana.dashboards.sale_night import SALE_NIGHT
from deploy.grafana.dashboards.stickiness import STICKINESS
from deploy.grafana.spec import Page

PAGES: tuple[Page, ...] = (
    SALE_NIGHT,
    ROOM_PAGE,
    INTEGRITY,
    STICKINESS,
    AFTER_SALES,
    MARKET,
    PIPELINE,
)
