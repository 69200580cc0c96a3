"""What is a figure called on the page, and what does it mean there?

The meaning in English is that of the metric dictionary, word for word; the Chinese one is here. A
figure that has no label is called by its name.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from roompulse.report.words import Language
from streams.core.dictionary import FIGURES, RATIOS, Figure
from streams.core.file_dictionary import FILE_FIGURES
from streams.core.market.dictionary import SECTIONS

ROOMS: Final = "rooms"  # the group of the figures of a room
RATIO_GROUP: Final = "ratios"  # and of the derived figures of boards

# By name: English and Chinese label.
LABELS: Final[Mapping[str, tuple[str, str]]] = {
    "gross_minor": ("gross", "总 GMV"),
    "net_minor": ("net", "净 GMV"),
    "trusted_minor": ("trusted", "可信 GMV"),
    "suspected_minor": ("suspected", "疑似金额"),
    "orders": ("orders", "订单"),
    "visits": ("visits", "访问"),
    "viewers": ("viewers", "观众"),
    "online": ("online", "在线"),
    "rank_gross": ("# gross", "总名次"),
    "rank_net": ("# net", "净名次"),
    "rank_trusted": ("# trusted", "可信名次"),
    "places_lost": ("places lost", "失位"),
    "momentum": ("momentum", "势头"),
    "gpm_minor": ("GPM", "千次访问 GMV"),
    "conversion": ("conversion", "转化率"),
    "refund_rate": ("refund rate", "退款率"),
    "average_order_minor": ("average order", "客单价"),
    "refunded_minor": ("refunded", "退款"),
    "complaints_opened": ("complaints", "投诉"),
    "score": ("score", "得分"),
    "threshold": ("threshold", "阈值"),
    "money_minor": ("money at stake", "涉及金额"),
    "observed": ("observed", "观测"),
    "expected": ("expected", "正常"),
    "weight": ("weight", "权重"),
    "visits_per_viewer": ("visits per viewer", "人均访问"),
    "ended_visits": ("ended visits", "已结束访问"),
    "stayed_30s": ("30 s", "30 秒"),
    "stayed_60s": ("1 min", "1 分"),
    "stayed_300s": ("5 min", "5 分"),
    "stayed_600s": ("10 min", "10 分"),
    "stayed_1800s": ("30 min", "30 分"),
    "avg_watch_ms": ("average stay", "平均停留"),
    "median_watch_ms": ("median stay", "停留中位数"),
    "interaction_rate": ("interactions", "互动率"),
    "follow_rate": ("follows", "关注率"),
    "minutes": ("minutes", "分钟数"),
    "present": ("present", "在场"),
    "lost": ("lost", "流失"),
    "loss_rate": ("loss rate", "流失率"),
    "excess": ("excess", "超额流失"),
    "price_minor": ("price", "价格"),
    "unchanged_minutes": ("minutes unchanged", "未变动分钟"),
    "complaints": ("complaints", "投诉"),
    "complaint_rate": ("complaint rate", "投诉率"),
    "refunds": ("refunds", "退款件数"),
    "quality_refunds": ("quality refunds", "品质退款"),
    "quality_refund_rate": ("quality rate", "品退率"),
    "first_reply_median_ms": ("first reply", "首次回复"),
    "first_reply_breaches": ("replies overdue", "回复超时"),
    "first_reply_attainment": ("replied in time", "回复达标率"),
    "resolution_median_ms": ("resolution", "解决用时"),
    "resolution_breaches": ("resolutions overdue", "解决超时"),
    "resolution_attainment": ("resolved in time", "解决达标率"),
    "returned_minor": ("came back of it", "其中退回"),
    "rooms": ("rooms", "场次"),
    "buyers": ("buyers", "买家"),
    "repeat_buyers": ("repeat buyers", "复购买家"),
    "repurchase_7d": ("repurchase 7 d", "7 日复购"),
    "repurchase_30d": ("repurchase 30 d", "30 日复购"),
    "returning_viewers": ("returning viewers", "回访观众"),
    "returning_share": ("returning share", "回访占比"),
    "active_viewers": ("active viewers", "日活观众"),
    "monthly_active_viewers": ("active in 30 days", "30 日活跃"),
    "stickiness": ("stickiness", "黏性"),
    "size": ("size", "人数"),
    "returned": ("returned", "回来"),
    "before_daily_net_minor": ("daily net before", "之前日均净额"),
    "during_daily_net_minor": ("daily net during", "期间日均净额"),
    "after_daily_net_minor": ("daily net after", "之后日均净额"),
    "lift": ("lift", "提升"),
    "overdraft": ("overdraft", "透支"),
    "payback_days": ("payback days", "回补天数"),
}

# By group and name.
CHINESE: Final[Mapping[tuple[str, str], str]] = {
    (ROOMS, "orders"): "已付款订单，按 `order_id` 去重；之后退款的也计入。",
    (ROOMS, "gross_minor"): "总 GMV：这些订单的实付金额之和。",
    (ROOMS, "refunded_minor"): "已接受的退款金额之和，计在售出的直播间。",
    (ROOMS, "net_minor"): "总 GMV 减退款。",
    (ROOMS, "suspected_minor"): "疑似订单的实付金额之和。",
    (ROOMS, "trusted_minor"): "净 GMV 再减去疑似订单退款后的余额；既退款又疑似的只减一次。",
    (ROOMS, "visits"): "开始的访问次数；90 秒无动静视为结束。",
    (ROOMS, "viewers"): "不同观众数；1,000 以内精确，之上为估计。",
    (ROOMS, "complaints_opened"): "新开的投诉。",
    (RATIO_GROUP, "gpm_minor"): "每 1,000 次访问的总 GMV。",
    (RATIO_GROUP, "conversion"): "买家 / 观众。",
    (RATIO_GROUP, "refund_rate"): "有退款的订单 / 订单。",
    (RATIO_GROUP, "average_order_minor"): "总 GMV / 订单。",
    ("boards", "rank_gross"): "按总 GMV 的名次；相同按键排。",
    ("boards", "rank_net"): "按净 GMV 的名次；相同按键排。",
    ("boards", "rank_trusted"): "按可信 GMV 的名次；相同按键排。",
    ("boards", "places_lost"): "可信名次减总 GMV 名次：疑似与退款使其失去的名次。",
    ("boards", "momentum"): "最近十分钟总 GMV / 此前十分钟。",
    ("minutes", "orders"): "该分钟付款的订单；迟到的不计入任何分钟。",
    ("minutes", "gross_minor"): "这些订单的实付金额。",
    ("minutes", "refunded_minor"): "该分钟到来的已接受退款。",
    ("minutes", "visits"): "该分钟开始的访问。",
    ("minutes", "online"): "该分钟结束时仍在场的访问。",
    ("alerts", "score"): "证据强度，按该类告警的规则计算。",
    ("alerts", "threshold"): "达到该分即按其级别告警。",
    ("alerts", "money_minor"): "涉及的疑似订单或退款金额。",
    ("alerts", "observed"): "所查看对象中的观测值。",
    ("alerts", "expected"): "正常情况下的值。",
    ("alerts", "weight"): "该信号在得分中的权重。",
    ("retention", "visits"): "开始的连续停留；90 秒无动静视为结束。",
    ("retention", "viewers"): "该键所有直播间中有行为的不同人数。",
    ("retention", "visits_per_viewer"): "访问 / 观众。",
    ("retention", "ended_visits"): "已结束的访问：留存曲线的基数。",
    ("retention", "stayed_30s"): "至少停留 30 秒的占比。",
    ("retention", "stayed_60s"): "至少停留 1 分钟的占比。",
    ("retention", "stayed_300s"): "至少停留 5 分钟的占比。",
    ("retention", "stayed_600s"): "至少停留 10 分钟的占比。",
    ("retention", "stayed_1800s"): "至少停留 30 分钟的占比。",
    ("retention", "avg_watch_ms"): "总停留时长 / 访问；未结束的计到最后出现。",
    ("retention", "median_watch_ms"): "已结束访问的停留中位数，误差 5 % 以内。",
    ("retention", "interaction_rate"): "评论、点赞、分享、关注与送礼 / 访问。",
    ("retention", "follow_rate"): "关注 / 访问。",
    ("drop_off", "minutes"): "计入的分钟：其前一分钟已知。",
    ("drop_off", "present"): "前一分钟末在线者，加该分钟进入者。",
    ("drop_off", "lost"): "在场者中该分钟末已不在线者。",
    ("drop_off", "loss_rate"): "流失 / 在场。",
    ("drop_off", "excess"): "超出该直播间平均流失率的流失人数。",
    ("drop_off", "price_minor"): "当时最后上架商品的价格。",
    ("drop_off", "unchanged_minutes"): "商品无任何动作的完整分钟数。",
    ("after_sales", "orders"): "该键的已付款订单，不分责任方。",
    ("after_sales", "complaints"): "新开的投诉；责任方以最后指明的为准，否则按类型。",
    ("after_sales", "complaint_rate"): "投诉 / 订单。",
    ("after_sales", "refunds"): "已接受的退款；责任方由规则按原因确定。",
    ("after_sales", "refunded_minor"): "已接受退款的金额。",
    ("after_sales", "quality_refunds"): "原因为质量、描述不符或发错货的退款。",
    ("after_sales", "quality_refund_rate"): "品质退款 / 订单。",
    ("after_sales", "first_reply_median_ms"): "开启到首次回复的中位时长，误差 5 % 以内。",
    ("after_sales", "first_reply_breaches"): "期限（2 小时）内未回复的投诉。",
    ("after_sales", "first_reply_attainment"): "按时 /（按时 + 超时）。",
    ("after_sales", "resolution_median_ms"): "开启到解决的中位时长，误差 5 % 以内。",
    ("after_sales", "resolution_breaches"): "期限（48 小时）内未解决的投诉。",
    ("after_sales", "resolution_attainment"): "按时 /（按时 + 超时）。",
    ("pitch", "gross_minor"): "该分钟付款的金额，迟到的也计入。",
    ("pitch", "returned_minor"): "该分钟付款的订单之后被退的金额，不论何时退。",
    ("pitch", "refunded_minor"): "该分钟到来的退款，不论退的是何时的订单。",
    ("stickiness", "rooms"): "有已接受事件的直播间。",
    ("stickiness", "viewers"): "有行为的不同人数。",
    ("stickiness", "buyers"): "下单的不同人数。",
    ("stickiness", "repeat_buyers"): "在两个以上事件日下单的人。",
    ("stickiness", "repurchase_7d"): "首次下单后 7 天内在另一天再次下单的买家占比。",
    ("stickiness", "repurchase_30d"): "首次下单后 30 天内在另一天再次下单的买家占比。",
    ("stickiness", "returning_viewers"): "也看过同一主播此前 30 天内所开直播间的观众。",
    ("stickiness", "returning_share"): "回访观众 / 观众。",
    ("days", "active_viewers"): "当日有行为的不同人数。",
    ("days", "monthly_active_viewers"): "当日及此前 29 天有行为的不同人数。",
    ("days", "stickiness"): "当日活跃 / 30 日活跃。",
    ("cohorts", "size"): "该 ISO 周首次出现（首次下单）的人数。",
    ("cohorts", "returned"): "其后第一周、第二周……回来的占比。",
    ("festivals", "before_daily_net_minor"): "大促前 28 天的日均净额。",
    ("festivals", "during_daily_net_minor"): "大促期间的日均净额。",
    ("festivals", "after_daily_net_minor"): "大促后 28 天的日均净额。",
    ("festivals", "lift"): "（期间 - 之前）/ 之前。",
    ("festivals", "overdraft"): "（之后 - 之前）/ 之前：大促借走了多少。",
    ("festivals", "payback_days"): (
        "大促后最少几天起，连续七天的日均净额不低于之前（至多 21 天）；没有则为空。"
    ),
}


@dataclass(frozen=True, slots=True)
class Definition:
    """A figure as it stands in one group of the dictionary."""

    group: str
    figure: Figure

    @property
    def anchor(self) -> str:
        """Where on the page its meaning stands."""
        return f"means-{self.group}-{self.figure.name}"


def _tables() -> Iterator[tuple[str, Figure]]:
    for figure in FIGURES:
        yield ROOMS, figure
    for ratio in RATIOS:
        yield RATIO_GROUP, Figure(ratio.name, "ratio", ratio.meaning, ratio.source)
    for group, figures in FILE_FIGURES.items():
        for figure in figures:
            yield group, figure


_DEFINITIONS: Final = {
    (group, figure.name): Definition(group, figure) for group, figure in _tables()
}


def definition_of(group: str, name: str) -> Definition:
    """What a figure means in a group; a board has those of rooms and the derived ones as well.

    Raises:
        KeyError: the metric dictionary does not know it.
    """
    for each in (group, ROOMS, RATIO_GROUP) if group == "boards" else (group,):
        found = _DEFINITIONS.get((each, name))
        if found is not None:
            return found
    raise KeyError(f"{group}: {name}")


def definitions_of(file: str, section: str, names: Sequence[str]) -> dict[str, Definition]:
    """What the figures of a section of another file mean, as far as a dictionary has them.

    Files that compare rooms have a dictionary of sections: the one with these fields is meant.
    """
    stem = file.removesuffix(".json")
    group = stem.replace("-", "_")
    for each in SECTIONS:
        if each.file == file and [figure.name for figure in each.figures] == list(names):
            group = f"{stem}.{section}"
            return {figure.name: Definition(group, figure) for figure in each.figures}
    return {name: _DEFINITIONS[group, name] for name in names if (group, name) in _DEFINITIONS}


def label_of(name: str, language: Language) -> str:
    """What a figure is called."""
    pair = LABELS.get(name)
    return name if pair is None else pair[language is Language.ZH]


def meaning_of(definition: Definition, language: Language) -> str:
    """What it means; in English where there is no Chinese meaning of a further file's figure."""
    key = definition.group, definition.figure.name
    meaning = definition.figure.meaning
    return CHINESE.get(key, meaning) if language is Language.ZH else meaning
