"""What does a person read of an alert in a chat, a mail or a webhook? In English or in Chinese.

A title and a text: what is suspected, how grave it is, where, how much money, the heaviest signs,
what would clear it, where to look. Ids come from the log, so what could move a cursor, ring people
or be read as markup is taken out of them. The last line is the same in every duplicate.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from zoneinfo import ZoneInfo

from schemas.money import digits_of
from schemas.records import Alert, Evidence
from streams.core.boards import DEFAULT_ZONE
from streams.shell.alertmanager import room_link
from streams.shell.runbook import runbook_section

Language = Literal["en", "zh"]
MOST_SIGNS = 3
_SHOWN_ORDERS = 3
_LONGEST_ID = 64
_LONGEST_SENTENCE = 600
# What chats take for a mention or a link; texts are sent as plain ones, so styles are not read.
_UNSAFE = frozenset("<>@")


@dataclass(frozen=True, slots=True)
class Words:
    """The fixed words of a language."""

    severity: Mapping[str, str]
    status: Mapping[str, str]
    severity_head: str
    room: str
    rooms: str
    host: str
    mcn: str
    product: str
    money: str
    evidence: str
    sign: str
    orders: str
    and_more: str
    since: str
    clears: str
    look: str
    runbook: str
    colon: str
    ended: str
    sentence: str


_ENGLISH = Words(
    severity={"page": "PAGE", "review": "REVIEW", "info": "INFO"},
    status={"firing": "firing", "updated": "updated", "resolved": "resolved"},
    severity_head="Severity",
    room="Room",
    rooms="Rooms",
    host="Host",
    mcn="Agency",
    product="Product",
    money="At stake",
    evidence="Evidence",
    sign="{name}: {seen:.1%} seen, {normal:.1%} normal, weight {weight:.1f}",
    orders="; orders {orders}",
    and_more=" and {more} more",
    since="Since",
    clears="Clears",
    look="Look",
    runbook="What to do",
    colon=": ",
    ended="",
    sentence="{summary}",
)
_CHINESE = Words(
    severity={"page": "紧急", "review": "待核查", "info": "通知"},
    status={"firing": "触发", "updated": "更新", "resolved": "已解除"},
    severity_head="级别",
    room="直播间",
    rooms="涉及直播间",
    host="主播",
    mcn="机构",
    product="商品",
    money="涉及金额",
    evidence="证据",
    sign="{name}：观测 {seen:.1%}，正常 {normal:.1%}，权重 {weight:.1f}",
    orders="；订单 {orders}",
    and_more=" 等另外 {more} 单",
    since="开始时间",
    clears="解除条件",
    look="查看",
    runbook="处理手册",
    colon="：",
    ended="已平息：",
    sentence="{ended}{place}{kind}。仅为嫌疑，不代表定性。",
)
WORDS: Final[Mapping[Language, Words]] = {"en": _ENGLISH, "zh": _CHINESE}

# By kind: what it is called, and what ends it, in English and in Chinese.
KINDS: Final[Mapping[str, tuple[str, str, str, str]]] = {
    "brushed_orders": (
        "Suspected brushed orders", "30 minutes without new evidence",
        "疑似刷单", "30 分钟内没有新证据",
    ),
    "identity_ring": (
        "Suspected identity ring", "when the links of the ring fall silent",
        "疑似团伙下单", "团伙当日不再有新的关联",
    ),
    "fake_viewers": (
        "Suspected fake viewers", "when arrivals look normal again",
        "疑似虚假观众", "进房人流恢复正常",
    ),
    "refund_surge": (
        "Wave of refunds", "when the share of new refunds is normal again",
        "退款激增", "新退款占比恢复正常",
    ),
    "complaint_surge": (
        "Wave of complaints", "when the share of buyers who complain is normal again",
        "投诉激增", "投诉买家占比恢复正常",
    ),
    "off_platform_payment": (
        "Suspected off-platform payment", "when nobody complains of it any more",
        "疑似私下交易", "不再有相关投诉",
    ),
    "price_war": (
        "Price war", "when nobody undercuts for an hour",
        "价格战", "一小时内无人继续压价",
    ),
    "list_price_inflation": (
        "Raised list price", "when nothing more is sold far below it",
        "疑似虚标原价", "不再以远低于原价的价格成交",
    ),
    "sale_after_delisting": (
        "Sold after it was taken off",
        "when it is listed again, or half an hour without a sale of it",
        "下架后仍成交", "重新上架，或半小时内无成交",
    ),
    "traffic_drop": (
        "Traffic drop", "when people come back as they do to rooms of its size",
        "流量骤降", "人流恢复到同等规模直播间的水平",
    ),
    "hot_item": (
        "Hot item", "30 minutes after its last buyers above the usual",
        "爆品", "最后一批超常买家之后 30 分钟",
    ),
    "stock_out": (
        "Sold out", "news; it ends by itself",
        "售罄", "仅为通知，自动结束",
    ),
    "sla_breach": (
        "Complaints unanswered in time", "30 minutes without another breach",
        "投诉超时未处理", "30 分钟内没有新的超时",
    ),
    "gmv_milestone": (
        "GMV milestone", "news; it ends by itself",
        "GMV 里程碑", "仅为通知，自动结束",
    ),
    "festival_overdraft": (
        "Festival overdraft", "when daily sales are back at what they were before",
        "大促透支", "日销恢复到大促之前的水平",
    ),
}  # fmt: skip

SIGNS_IN_CHINESE: Final[Mapping[str, str]] = {
    "undercuts_in_an_hour": "一小时内压价次数",
    "under_median": "低于七日中位价",
    "tiny_dwell": "进房数秒内下单",
    "no_visit": "买家未进过直播间",
    "shared_device": "多个买家共用设备",
    "shared_payment": "多个买家共用支付账户",
    "shared_address": "多个买家共用地址",
    "young_account": "新注册账户",
    "repeat_buyer": "一小时内反复购买",
    "quick_refund": "半小时内退款",
    "refunds_of_the_room": "直播间退款占比",
    "refunds_of_the_product": "商品退款占比",
    "complaining_buyers": "投诉买家占比",
    "orders_after_delisting": "下架后的订单",
    "orders_far_below_list": "远低于原价的订单",
    "first_reply_breaches": "首次回复超时",
    "resolution_breaches": "解决超时",
    "pieces_sold": "已售占库存",
    "gross_major": "毛 GMV 与整数关口之比",
    "product_of_orders": "该商品占直播间订单",
    "suspected_orders": "其中疑似刷单",
    "few_bounces": "秒退占比过低",
    "many_bounces": "秒退占比过高",
    "odd_stays": "停留时长雷同",
    "silent_audience": "观众几乎无互动",
    "shared_devices": "观众共用设备",
    "left_together": "同一分钟集体离开",
    "came_together": "同一分钟集体进入",
    "suspected_visits": "疑似虚假进房",
    "orders_by_visit": "剔除后的进房下单率",
    "same_rooms": "同一批买家出现在多个直播间",
    "arrivals": "进房人数骤降",
    "audience": "在线人数骤降",
    "online": "在线人数",
    "buyers_complaining": "投诉站外付款的买家",
    "cancelled_and_stayed": "取消订单却仍在直播间",
    "orders_per_visit": "进房下单率",
}


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent of one version.

    Attributes:
        message_id: the same in every duplicate.
    """

    title: str
    text: str
    severity: str
    message_id: str


def message_of(alert: Alert, language: Language, room_url: str | None = None) -> Message:
    """What a person reads of a version of an alert.

    Args:
        alert: the version.
        language: of everything but ids; the sentence of the detectors is English, so in Chinese
            there is one made from the kind.
        room_url: the page of a room, to which room and time are added.
    """
    words = WORDS[language]
    message_id = f"{safe(alert.alert_id)}/{alert.version}"
    name, clears = _of_kind(alert.kind, language)
    place = f"{words.room} {safe(alert.room_id)} " if alert.room_id else ""
    sentence = words.sentence.format(
        summary=safe(alert.summary, _LONGEST_SENTENCE),
        ended=words.ended if alert.status == "resolved" else "",
        place=place,
        kind=name,
    )
    lines = [
        sentence,
        _pair(words, words.severity_head, _standing(words, alert)),
        " · ".join(_where(words, alert)),
        _pair(words, words.money, _money(alert.money_minor, alert.currency)),
        _pair(words, words.since, _clock(alert.started_ms)),
        *_evidence(words, alert.evidence, language),
        _pair(words, words.clears, clears),
        *([_pair(words, words.look, room_link(room_url, alert))] if room_url else []),
        _pair(words, words.runbook, runbook_section(alert.kind)),
        f"id{words.colon}{message_id}",
    ]
    severity = words.severity.get(alert.severity, alert.severity)
    status = words.status.get(alert.status, alert.status)
    title = f"[{severity}] {name} · {status}" + (f" · {place.strip()}" if place else "")
    return Message(title, "\n".join(line for line in lines if line), alert.severity, message_id)


def trial_message(route: str, language: Language) -> Message:
    """A message by which somebody sees that a route leads to them."""
    texts = {
        "en": (f"[TEST] Roompulse, route {route}", "A test: alerts of this route come here."),
        "zh": (f"[测试] Roompulse，通道 {route}", "这是一条测试消息：该通道的告警会发到这里。"),
    }
    title, text = texts[language]
    return Message(title, text, "info", "test")


def safe(text: str, longest: int = _LONGEST_ID) -> str:
    """A text of the log that no chat takes for more than text, of at most so many characters."""
    cleaned = "".join(
        "·" if each in _UNSAFE or (unicodedata.category(each)[0] in "CZ" and each != " ") else each
        for each in text
    )
    return cleaned if len(cleaned) <= longest else cleaned[: longest - 1] + "…"


def _pair(words: Words, head: str, text: str) -> str:
    return f"{head}{words.colon}{text}"


def _of_kind(kind: str, language: Language) -> tuple[str, str]:
    texts = KINDS.get(kind)
    if texts is None:
        return kind, "-"
    return texts[:2] if language == "en" else texts[2:]


def _standing(words: Words, alert: Alert) -> str:
    severity = words.severity.get(alert.severity, alert.severity)
    status = words.status.get(alert.status, alert.status)
    return f"{severity} ({status}, v{alert.version})"


def _where(words: Words, alert: Alert) -> list[str]:
    found = {
        words.room: alert.room_id,
        words.host: alert.host_id,
        words.mcn: alert.mcn_id,
        words.product: alert.product_id,
    }
    parts = [_pair(words, head, safe(text)) for head, text in found.items() if text]
    if len(alert.rooms) > 1:
        parts.append(_pair(words, words.rooms, str(len(alert.rooms))))
    return parts


def _evidence(words: Words, signs: list[Evidence], language: Language) -> list[str]:
    """The heaviest signs, a line each, below a head."""
    heaviest = sorted(signs, key=lambda sign: -sign.weight)[:MOST_SIGNS]
    lines = []
    for sign in heaviest:
        known = SIGNS_IN_CHINESE.get(sign.signal) if language == "zh" else None
        name = known or safe(sign.signal)
        told = words.sign.format(
            name=name, seen=sign.observed, normal=sign.expected, weight=sign.weight
        )
        lines.append(f"- {told}{_orders(words, sign.orders)}")
    return [f"{words.evidence}{words.colon.rstrip()}", *lines] if lines else []


def _orders(words: Words, orders: list[str]) -> str:
    if not orders:
        return ""
    shown = ", ".join(safe(each) for each in orders[:_SHOWN_ORDERS])
    more = len(orders) - _SHOWN_ORDERS
    told = words.orders.format(orders=shown)
    return told + (words.and_more.format(more=more) if more > 0 else "")


def _money(minor: int, currency: str | None) -> str:
    """An amount in major units with thousands separated, exact at any size."""
    digits = digits_of(currency)
    major, rest = divmod(abs(minor), 10**digits)
    sign = "-" if minor < 0 else ""
    whole = f"{sign}{major:,}" + (f".{rest:0{digits}}" if digits else "")
    return f"{whole} {currency}" if currency else whole


def _clock(ms: int) -> str:
    moment = datetime.fromtimestamp(ms / 1000, ZoneInfo(DEFAULT_ZONE))
    return f"{moment:%Y-%m-%d %H:%M:%S} {DEFAULT_ZONE}"
