"""What is the page called, and what its parts, in English and in Chinese?

A sentence is written once in each language; a test holds both to the same places for figures. What
the contract names (kinds, parties, reasons) keeps its name where there is no word for it here.
"""

from enum import StrEnum
from typing import Final


class Language(StrEnum):
    """Of the page."""

    EN = "en"
    ZH = "zh"


# By key: English, Chinese.
SENTENCES: Final[dict[str, tuple[str, str]]] = {
    "title": ("Session report", "场次报告"),
    "from_to": ("{start} to {end}, {zone}", "{start} 至 {end}，{zone}"),
    "complete_to": ("complete to {time}", "数据完整至 {time}"),
    "made_of": (
        "{events} events, {rooms} rooms, {partitions} partitions",
        "{events} 条事件，{rooms} 个直播间，{partitions} 个分区",
    ),
    "units": (
        (
            "Money in major units of its currency, never added across currencies. Times are event"
            " time, in {zone}. Nobody is called guilty: suspected."
        ),
        "金额以各币种主单位计，不跨币种相加。时间为事件时间（{zone}）。本页只说“疑似”，不作定性。",
    ),
    "missing_title": ("What is missing", "缺失的内容"),
    "missing_file": ("{name} is not in the folder: {what}.", "文件夹中没有 {name}：{what}。"),
    "no_calendar": (
        "No festival of the calendar lies near this session: no lift and no overdraft.",
        "本场次附近没有日历中的大促：无提升与透支数据。",
    ),
    "provisional": (
        "Figures of a festival are provisional until its 28th day after is complete: {names}.",
        "大促结束满 28 天之前，其数据为暂估：{names}。",
    ),
    "rejected": ("{count} events were refused: {reasons}.", "{count} 条事件被拒绝：{reasons}。"),
    "late": (
        "{count} events came late: they are in all sums and in no minute.",
        "{count} 条事件迟到：计入累计，不计入分钟。",
    ),
    "curves_bound": (
        "Curves are drawn for the first {shown} of {all} rooms by gross GMV.",
        "曲线仅画出按总 GMV 排名前 {shown} 的直播间（共 {all} 个）。",
    ),
    "rows_bound": ("The first {shown} of {all} rows.", "前 {shown} 行，共 {all} 行。"),
    "first_currencies": (
        "The {shown} currencies with most rooms are shown.",
        "仅显示直播间最多的 {shown} 个币种。",
    ),
    "nothing_missing": ("Nothing.", "无。"),
    "not_there": ("Not in this folder.", "文件夹中没有此项数据。"),
    "none": ("None.", "无。"),
    "table": ("The figures of this chart", "此图的数据"),
    "overview": ("At a glance", "概览"),
    "boards": ("Boards", "榜单"),
    "boards_intro": (
        (
            "Gross, net of refunds, and trusted (net, without suspected orders). Places lost:"
            " the place by trusted less the place by gross (▼ lost, ▲ won)."
        ),
        "总 GMV、净 GMV（扣退款）与可信 GMV（再扣疑似刷单）。失位：可信名次减总名次（▼失 ▲得）。",
    ),
    "three_ways": ("GMV three ways: {scope}, {currency}", "三种口径的 GMV：{scope}，{currency}"),
    "all_in": ("all in {currency}, rates of {date}", "全部折算为 {currency}，汇率日期 {date}"),
    "unknown_currency": ("unknown currency", "币种未知"),
    "alerts": ("Alerts", "告警"),
    "alerts_intro": (
        (
            "{count} incidents: {severities}. Dots are versions of an alert. An incident without an"
            " end was still open at the end of the session."
        ),
        "共 {count} 起：{severities}。圆点为告警的各个版本。没有结束时间的，在场次结束时仍未恢复。",
    ),
    "alerts_chart": ("Alerts over time", "告警时间线"),
    "evidence": ("Evidence", "证据"),
    "of_orders": ("orders: {orders}", "订单：{orders}"),
    "more": ("{count} more", "另有 {count} 个"),
    "started": ("began {time}", "始于 {time}"),
    "ended": ("ended {time}", "止于 {time}"),
    "still_open": ("still open", "未恢复"),
    "runbook": ("what to do: {section}", "处置手册：{section}"),
    "money_at_stake": ("money at stake {money}", "涉及金额 {money}"),
    "score_of": ("score {score}, threshold {threshold}", "得分 {score}，阈值 {threshold}"),
    "rooms_of": ("rooms: {rooms}", "直播间：{rooms}"),
    "observed": ("observed", "观测"),
    "expected": ("expected", "正常"),
    "sign": ("sign", "信号"),
    "curves": ("Minute by minute", "逐分钟曲线"),
    "curves_intro": (
        (
            "Money and visits are added over a point, online the most at the end of a"
            " minute. Strokes on the axis: a product was put on sale. Of a room, the time in which"
            " anyone was there; what came back later is under after sales."
        ),
        (
            "每个点：金额与访问相加，在线取各分钟末的最大值。轴上短线：上架商品。"
            "直播间只画有人在场的时段；之后的退款见售后。"
        ),
    ),
    "a_point": ("{zone}; a point is {minutes} min", "{zone}；每点 {minutes} 分钟"),
    "platform_in": ("All rooms, {currency}", "全部直播间，{currency}"),
    "a_room": ("{name} ({key})", "{name}（{key}）"),
    "time": ("time", "时间"),
    "stay": ("Do viewers stay", "观众留存"),
    "retention_chart": (
        "Share of ended visits still there after a time",
        "各时长后仍在场的访问占比（已结束的访问）",
    ),
    "retention_by": ("Retention: {scope}", "留存：{scope}"),
    "plain": ("all", "全部"),
    "trusted": ("without suspected", "剔除疑似"),
    "drop_off": ("When do they go", "何时流失"),
    "drop_off_chart": (
        "Share of those present lost in a minute, by what was on",
        "每分钟流失率，按当时内容",
    ),
    "worst_minutes": ("Minutes that lost most", "流失最多的分钟"),
    "after_sales": ("After sales", "售后"),
    "by_party": ("By responsible party, {currency}", "按责任方，{currency}"),
    "party_money": (
        "Refunded money by responsible party, {currency}",
        "退款金额（按责任方），{currency}",
    ),
    "party_cases": (
        "Complaints and refunds by party, {currency}",
        "投诉与退款件数（按责任方），{currency}",
    ),
    "causes": ("Causes, {currency}", "原因，{currency}"),
    "cause": ("cause", "原因"),
    "load_of": ("Load: {scope}", "负担：{scope}"),
    "pitch": (
        "What was sold when, and what came back of it, {currency}",
        "何时售出、其中多少被退回，{currency}",
    ),
    "loyalty": ("Do they come back and buy again", "回访与复购"),
    "loyalty_of": ("All rooms together", "全部直播间"),
    "days_chart": ("Active viewers by day", "每日活跃观众"),
    "daily_ratio": ("Stickiness: day over 30 days", "黏性：日活 / 30 日活跃"),
    "cohorts_of": ("Weekly cohorts: {kind}", "周同期群：{kind}"),
    "cohorts_intro": (
        "Share of those first seen in a week that were back so many weeks later.",
        "某周首次出现的人，在之后各周回来的占比。",
    ),
    "week": ("week", "周"),
    "weeks_later": ("+{weeks}", "+{weeks}"),
    "festivals": ("What did the festival borrow", "大促透支"),
    "festival_chart": (
        "{festival}: lift and overdraft, {currency}",
        "{festival}：提升与透支，{currency}",
    ),
    "is_provisional": ("provisional", "暂估"),
    "is_final": ("final", "最终"),
    "state": ("state", "状态"),
    "currency": ("currency", "币种"),
    "hosts_of": ("Hosts", "主播"),
    "returning": ("Returning viewers by room", "各直播间的回访观众"),
    "sameness_chart": ("Does everybody sell the same, {currency}", "是否都卖一样的，{currency}"),
    "sameness_axis": (
        "Concentration by hour; 1 where one has all",
        "每小时集中度；1 为独占",
    ),
    "further_intro": (
        "Tables as they stand in the folder.",
        "按文件原样列出。",
    ),
    "further": ("Further files", "其他文件"),
    "definitions": ("What the figures mean", "指标定义"),
    "figure": ("figure", "指标"),
    "field": ("field", "字段"),
    "unit": ("unit", "单位"),
    "meaning": ("meaning", "含义"),
    "source": ("whose definition", "定义来源"),
    "before_festival": ("before", "之前"),
    "contents": ("Contents", "目录"),
    "platform": ("platform", "平台"),
    "unknown": ("unknown", "未知"),
    "what_was_on": ("what was on", "当时内容"),
    "product": ("product", "商品"),
    "room": ("room", "直播间"),
    "host": ("host", "主播"),
    "party": ("party", "责任方"),
    "all_parties": ("all parties", "全部责任方"),
    "festival": ("festival", "大促"),
    "scope": ("of", "范围"),
    "key": ("key", "键"),
    "day": ("day", "日"),
    "name": ("name", "名称"),
}

WHAT_IS_MISSING: Final[dict[str, tuple[str, str]]] = {
    "rooms.ndjson": ("no sums of rooms", "无直播间汇总"),
    "minutes.ndjson": ("no curves", "无分钟曲线"),
    "product-marks.ndjson": ("no marks of products on curves", "曲线上无商品标记"),
    "alerts.ndjson": ("no alerts", "无告警"),
    "after-sales-minutes.ndjson": ("no curve of what came back", "无退回曲线"),
    "stickiness.json": (
        "no returning viewers, repurchase, cohorts and festivals",
        "无回访、复购、同期群与大促数据",
    ),
    "retention.json": ("no retention", "无留存数据"),
    "drop-off.json": ("no drop-off", "无流失数据"),
    "after-sales.json": ("no load by responsible party", "无责任方负担数据"),
}

# Names of the contract that people have other words for.
NAMES: Final[dict[str, tuple[str, str]]] = {
    "page": ("page", "紧急"),
    "review": ("review", "复核"),
    "info": ("info", "通知"),
    "firing": ("firing", "进行中"),
    "updated": ("updated", "已更新"),
    "resolved": ("resolved", "已恢复"),
    "brushed_orders": ("suspected brushed orders", "疑似刷单"),
    "identity_ring": ("suspected identity ring", "疑似身份团伙"),
    "fake_viewers": ("suspected fake viewers", "疑似虚假观众"),
    "refund_surge": ("refund surge", "退款激增"),
    "complaint_surge": ("complaint surge", "投诉激增"),
    "off_platform_payment": ("suspected payment elsewhere", "疑似站外付款"),
    "price_war": ("price war", "价格战"),
    "list_price_inflation": ("raised list prices", "虚抬原价"),
    "sale_after_delisting": ("sales after delisting", "下架后仍售"),
    "traffic_drop": ("traffic drop", "流量骤降"),
    "hot_item": ("hot item", "爆款"),
    "stock_out": ("stock-out", "售罄"),
    "sla_breach": ("answers overdue", "超时未处理"),
    "gmv_milestone": ("GMV milestone", "GMV 里程碑"),
    "festival_overdraft": ("festival overdraft", "大促透支"),
    "host": ("host", "主播"),
    "merchant": ("merchant", "商家"),
    "consumer": ("consumer", "消费者"),
    "platform": ("platform", "平台"),
    "quality": ("quality", "质量"),
    "counterfeit": ("counterfeit", "假货"),
    "false_advertising": ("false advertising", "虚假宣传"),
    "price_fraud": ("price fraud", "价格欺诈"),
    "after_sales_refused": ("after-sales refused", "拒绝售后"),
    "delivery": ("delivery", "物流"),
    "other": ("other", "其他"),
    "not_as_described": ("not as described", "描述不符"),
    "wrong_item": ("wrong item", "发错货"),
    "not_received": ("not received", "未收到货"),
    "changed_mind": ("changed mind", "不想要了"),
    "price": ("price", "价格"),
    "cancelled": ("cancelled", "发货前取消"),
    "listed": ("a product was listed", "上架商品"),
    "priced": ("a price was changed", "改价"),
    "delisted": ("a product was taken off", "下架商品"),
    "selling": ("selling", "讲解中"),
    "silence": ("silence: nothing done for 10 min", "冷场：10 分钟无动作"),
    "talent": ("talent", "达人"),
    "store": ("store", "店播"),
    "base_walk": ("base walk", "基地走播"),
    "origin": ("origin", "产地直播"),
    "overseas": ("overseas", "海外代购"),
    "seckill": ("seckill", "秒杀"),
    "bargain": ("bargain", "砍价"),
    "viewers": ("viewers", "观众"),
    "buyers": ("buyers", "买家"),
    "category": ("category", "类目"),
    "mcn": ("agency", "机构"),
    "mode": ("selling mode", "直播模式"),
    "product": ("product", "商品"),
    "room": ("room", "直播间"),
}

SCOPES: Final[dict[str, tuple[str, str]]] = {
    "room": ("Rooms", "直播间"),
    "host": ("Hosts", "主播"),
    "mcn": ("Agencies", "机构"),
    "mode": ("Selling modes", "直播模式"),
    "category": ("Categories", "类目"),
    "merchant": ("Merchants", "商家"),
    "product": ("Products", "商品"),
    "rooms": ("Rooms", "直播间"),
    "hosts": ("Hosts", "主播"),
    "mcns": ("Agencies", "机构"),
    "modes": ("Selling modes", "直播模式"),
    "categories": ("Categories", "类目"),
    "merchants": ("Merchants", "商家"),
    "platform": ("Platform", "平台"),
}


class Words:
    """One language."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._at = 0 if language is Language.EN else 1

    def say(self, key: str, /, **values: object) -> str:
        """A sentence, with its figures."""
        sentence = SENTENCES[key][self._at]
        return sentence.format(**values) if values else sentence

    def name(self, word: str | None) -> str:
        """A name of the contract; itself where there is no word for it."""
        if word is None:
            return self.say("unknown")
        return self.pick(NAMES[word]) if word in NAMES else word

    def scope(self, word: str) -> str:
        """A scope or section, in the plural; itself where there is no word for it."""
        return self.pick(SCOPES[word]) if word in SCOPES else word

    def lacks(self, file: str) -> str:
        """What a page without a file cannot say."""
        return self.pick(WHAT_IS_MISSING[file])

    def pick(self, pair: tuple[str, str]) -> str:
        """One of a pair."""
        return pair[self._at]
