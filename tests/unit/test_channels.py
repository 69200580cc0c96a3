"""Routes of a file: who hears of what, in which words, and that no secret is ever shown."""

# ruff: noqa: ANN401 - fields of an alert have no common type

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from apprise.plugins.dingtalk import NotifyDingTalk
from apprise.plugins.feishu import NotifyFeishu
from apprise.plugins.slack import NotifySlack
from apprise.plugins.wecombot import NotifyWeComBot
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from roompulse.cli.app import app
from schemas.records import ALERT_KINDS, Alert
from streams.embedded import EmbeddedRun
from streams.shell.alert_texts import (
    KINDS,
    SIGNS_IN_CHINESE,
    WORDS,
    Language,
    message_of,
    safe,
)
from streams.shell.channels import Address, Channel, ChannelsFileError, Route, read_channels
from streams.shell.delivery import News, ReceiverAwayError
from streams.shell.notifying import Notifier
from tests.unit.attack import attacked_log, encoded
from tests.unit.signals import signals_log

_SECRET = "s3cr3tt0kens3cr3tt0kens3cr3tt0ken"
_LANGUAGES: tuple[Language, ...] = ("en", "zh")


def _alert(**changed: Any) -> Alert:
    plain = {
        "alert_id": "a1",
        "version": 2,
        "status": "updated",
        "kind": "brushed_orders",
        "severity": "page",
        "room_id": "room-7",
        "host_id": "host-7",
        "mcn_id": "mcn-harbour",
        "product_id": None,
        "started_ms": 1_700_000_000_000,
        "updated_ms": 1_700_000_060_000,
        "score": 31.0,
        "threshold": 30.0,
        "summary": "Suspected brushed orders in room room-7: 8 of 16 come from shared devices.",
        "money_minor": 1_234_567,
        "currency": "CNY",
        "evidence": [
            {"signal": name, "observed": 0.5, "expected": 0.015, "weight": weight, "orders": orders}
            for name, weight, orders in (
                ("young_account", 1.0, []),
                ("shared_device", 12.3, ["o1", "o2", "o3", "o4", "o5"]),
                ("no_visit", 5.0, ["o1"]),
                ("shared_payment", 2.0, ["o9"]),
            )
        ],
        "rooms": ["room-7"],
        "rules_version": None,
    }
    return msgspec.convert(plain | changed, Alert)


def _file(folder: Path, *routes: str, head: str = "") -> Path:
    path = folder / "channels.yaml"
    lines = "".join(f"  - {route}\n" for route in routes)
    path.write_text(f"{head}routes:\n{lines}", encoding="utf-8")
    return path


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "address"
    path.write_text(f"json://127.0.0.1:9/{_SECRET}\n", encoding="utf-8")
    return path


class Webhook:
    """A chat or a webhook: keeps what comes, and answers as it is told."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.answers: list[tuple[int, dict[str, Any] | str]] = []
        self.server: TestServer

    async def take(self, request: web.Request) -> web.Response:
        self.bodies.append(json.loads(await request.text()))
        status, said = self.answers.pop(0) if self.answers else (200, {"errcode": 0, "ok": True})
        if isinstance(said, str):
            return web.Response(text=said, status=status)
        return web.json_response(said, status=status)

    @property
    def url(self) -> str:
        return str(self.server.make_url("/")).rstrip("/")


@pytest.fixture
async def webhook() -> AsyncIterator[Webhook]:
    one = Webhook()
    routes = web.Application()
    routes.router.add_post("/{path:.*}", one.take)
    one.server = TestServer(routes)
    await one.server.start_server()
    yield one
    await one.server.close()


# --- what a person reads ------------------------------------------------------------------------


def test_an_english_message_says_all_that_a_person_on_call_needs() -> None:
    message = message_of(_alert(), "en", "https://grafana.example/d/room")
    assert message.title == "[PAGE] Suspected brushed orders · updated · Room room-7"
    assert message.text.splitlines() == [
        "Suspected brushed orders in room room-7: 8 of 16 come from shared devices.",
        "Severity: PAGE (updated, v2)",
        "Room: room-7 · Host: host-7 · Agency: mcn-harbour",
        "At stake: 12,345.67 CNY",
        "Since: 2023-11-15 06:13:20 Asia/Shanghai",
        "Evidence:",
        "- shared_device: 50.0% seen, 1.5% normal, weight 12.3; orders o1, o2, o3 and 2 more",
        "- no_visit: 50.0% seen, 1.5% normal, weight 5.0; orders o1",
        "- shared_payment: 50.0% seen, 1.5% normal, weight 2.0; orders o9",
        "Clears: 30 minutes without new evidence",
        "Look: https://grafana.example/d/room?var-room=room-7&from=1700000000000&to=1700000060000",
        "What to do: docs/runbook.md#brushed_orders",
        "id: a1/2",
    ]


def test_a_chinese_message_says_the_same_in_chinese() -> None:
    message = message_of(_alert(status="resolved"), "zh")
    assert message.title == "[紧急] 疑似刷单 · 已解除 · 直播间 room-7"
    assert message.text.splitlines() == [
        "已平息：直播间 room-7 疑似刷单。仅为嫌疑，不代表定性。",
        "级别：紧急 (已解除, v2)",
        "直播间：room-7 · 主播：host-7 · 机构：mcn-harbour",
        "涉及金额：12,345.67 CNY",
        "开始时间：2023-11-15 06:13:20 Asia/Shanghai",
        "证据：",
        "- 多个买家共用设备：观测 50.0%，正常 1.5%，权重 12.3；订单 o1, o2, o3 等另外 2 单",
        "- 买家未进过直播间：观测 50.0%，正常 1.5%，权重 5.0；订单 o1",
        "- 多个买家共用支付账户：观测 50.0%，正常 1.5%，权重 2.0；订单 o9",
        "解除条件：30 分钟内没有新证据",
        "处理手册：docs/runbook.md#brushed_orders",
        "id：a1/2",
    ]


@pytest.mark.parametrize("language", _LANGUAGES)
def test_every_kind_severity_and_state_has_its_words(language: Language) -> None:
    assert set(KINDS) == set(ALERT_KINDS)
    assert set(WORDS[language].severity) == {"page", "review", "info"}
    assert set(WORDS[language].status) == {"firing", "updated", "resolved"}
    for kind in ALERT_KINDS:
        message = message_of(_alert(kind=kind, evidence=[], room_id=None), language)
        assert KINDS[kind][2 * (language == "zh")] in message.title
        assert KINDS[kind][1 + 2 * (language == "zh")] in message.text


def test_every_sign_that_detectors_speak_of_has_its_chinese_words() -> None:
    spoken = set()
    for log in (attacked_log(), signals_log()):
        run = EmbeddedRun(1)
        run.feed(encoded(log))
        spoken |= {sign.signal for alert in run.finish().alerts for sign in alert.evidence}
    assert len(spoken) > 10
    assert spoken <= set(SIGNS_IN_CHINESE)


@given(st.text(max_size=200))
def test_ids_of_the_log_can_neither_call_people_nor_move_a_cursor(text: str) -> None:
    cleaned = safe(text)
    assert len(cleaned) <= 64
    assert not set(cleaned) & set("<>@\n\r\t\x1b\u202e")
    message = message_of(_alert(room_id=text, host_id=text, summary=text), "en")
    assert "@" not in message.text + message.title
    assert message.text.splitlines()[-1] == "id: a1/2"


# --- who is told --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("narrowed", "changed", "is_told"),
    [
        ("", {}, True),
        ("severities: [page]", {}, True),
        ("severities: [review, info]", {}, False),
        ("mcns: [mcn-harbour]", {}, True),
        ("mcns: [mcn-other]", {}, False),
        ("mcns: [null]", {}, False),
        ("mcns: [null]", {"mcn_id": None}, True),
        ("kinds: [brushed_orders]", {}, True),
        ("kinds: [stock_out]", {}, False),
        ("kinds: [brushed_orders], severities: [review]", {}, False),
    ],
)
def test_a_route_is_narrowed_by_severity_agency_and_kind(
    tmp_path: Path, secret_file: Path, narrowed: str, changed: dict[str, Any], *, is_told: bool
) -> None:
    more = f", {narrowed}" if narrowed else ""
    path = _file(tmp_path, f"{{name: one, address: {{file: {secret_file.name}}}{more}}}")
    [channel] = read_channels(path)
    assert channel.wants(_alert(**changed)) is is_told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("routes: []", "routes: Tuple should have at least 1 item"),
        ("routes: [", "is no YAML"),
        (f"routes: [{{name: one, address: json://h/{_SECRET}}}]", "routes.0.address"),
        ("routes: [{name: one, address: {}}]", "say where the address stands"),
        ("routes: [{name: one, address: {env: A, file: b}}]", "say where the address stands"),
        (
            "routes: [{name: one, address: {env: ROOMPULSE_NOT_THERE}}]",
            "has no ROOMPULSE_NOT_THERE",
        ),
        ("routes: [{name: one, address: {file: nowhere}}]", "cannot be read (FileNotFoundError)"),
        ("routes: [{name: ONE, address: {file: address}}]", "routes.0.name"),
        ("routes: [{name: one, address: {file: address}, kinds: [x]}]", "no such kind: x"),
        ("routes: [{name: one, address: {file: address}, colour: x}]", "routes.0.colour"),
        ("routes: [{name: one, address: {file: address}, severities: [bad]}]", "severities.0"),
        ("language: fr\nroutes: [{name: one, address: {file: address}}]", "language"),
        ("room_url: ftp://x\nroutes: [{name: one, address: {file: address}}]", "room_url"),
        (
            "routes: [{name: one, address: {file: address}}, {name: one, address: {env: A}}]",
            "two routes are called one",
        ),
        ("routes: [{name: one, address: {file: wrong}}]", "this is not one address"),
        ("routes: [{name: one, address: {file: two}}]", "this is not one address"),
    ],
)
def test_a_wrong_file_is_told_in_a_line_without_a_secret(
    tmp_path: Path, secret_file: Path, text: str, told: str
) -> None:
    assert secret_file.exists()
    (tmp_path / "wrong").write_text(f"nothing://{_SECRET}")
    (tmp_path / "two").write_text(f"json://a/{_SECRET} json://b/{_SECRET}")
    path = tmp_path / "channels.yaml"
    path.write_text(text)
    with pytest.raises(ChannelsFileError) as caught:
        read_channels(path)
    assert told in str(caught.value)
    assert _SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ChannelsFileError, match="no such file"):
        read_channels(tmp_path / "nowhere.yaml")


def test_an_address_of_the_environment_and_words_of_the_file(
    tmp_path: Path, secret_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROOMPULSE_DESK", f"jsons://hooks.example/{_SECRET}")
    chinese, english = read_channels(
        _file(
            tmp_path,
            "{name: desk, address: {env: ROOMPULSE_DESK}}",
            f"{{name: call, address: {{file: {secret_file}}}, language: en}}",
            head="language: zh\nroom_url: https://grafana.example/room\n",
        )
    )
    news = News(_alert())
    assert "疑似刷单" in chinese.wording(news)
    assert chinese.wording(news).startswith("to desk: ")
    assert "What to do: " in english.wording(news)
    assert "https://grafana.example/room?var-room=room-7" in english.message(news).text
    shown = f"{chinese!r} {vars(chinese)!r} {english.wording(news)} {chinese.wording(news)}"
    assert _SECRET not in shown


# --- what is sent -------------------------------------------------------------------------------


def _channel(address: str, name: str = "one") -> Channel:
    route = Route(name=name, address=Address(env="UNUSED"))
    return Channel(route, Notifier(name, address), "en", None)


async def test_a_webhook_that_is_down_and_comes_back_gets_each_version_in_order(
    webhook: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    caplog.set_level("DEBUG", "apprise")
    address = webhook.url.replace("http://", "json://") + f"/{_SECRET}"
    channel = _channel(address)
    webhook.answers = [(503, {}), (429, {})]
    sent = [News(_alert(version=version)) for version in (1, 2)]
    for _ in range(2):
        with pytest.raises(ReceiverAwayError, match="route one does not take messages"):
            await channel.take(sent)
    await channel.take(sent)
    ids = [body["message"].splitlines()[-1] for body in webhook.bodies]
    assert ids == ["id: a1/1", "id: a1/1", "id: a1/1", "id: a1/2"]
    assert webhook.bodies[-1]["title"] == message_of(_alert(), "en").title
    await webhook.server.close()
    with pytest.raises(ReceiverAwayError):
        await channel.try_out()
    ours = [record for record in caplog.records if record.name != "aiohttp.access"]  # the webhook's
    assert not [record for record in ours if _SECRET in record.getMessage()]


@pytest.mark.parametrize(
    ("plugin", "attribute", "address", "text_at"),
    [
        (NotifyDingTalk, "notify_url", "dingtalk://abcdef0123456789", ("text", "content")),
        (NotifyWeComBot, "notify_url", "wecombot://693a91f6-7xxx-4bc4-97a0", ("text", "content")),
        (NotifyFeishu, "notify_url", "feishu://abcdef0123456789", ("content", "text")),
    ],
)
async def test_chats_get_the_text_and_what_they_refuse_is_sent_again(
    webhook: Webhook,
    monkeypatch: pytest.MonkeyPatch,
    plugin: type[Any],
    attribute: str,
    address: str,
    text_at: tuple[str, str],
) -> None:
    monkeypatch.setattr(plugin, attribute, webhook.url + "/{token}{key}".format(token="", key=""))
    monkeypatch.setattr(plugin, "request_rate_per_sec", 0)
    channel = _channel(address)
    webhook.answers = [(200, {"errcode": 310_000, "code": 9_499, "errmsg": "too fast"})]
    with pytest.raises(ReceiverAwayError):
        await channel.take([News(_alert())])
    await channel.take([News(_alert())])
    first, second = webhook.bodies
    assert first == second
    outer, inner = text_at
    assert "At stake: 12,345.67 CNY" in second[outer][inner]
    assert "id: a1/2" in second[outer][inner]


async def test_slack_gets_the_text(webhook: Webhook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NotifySlack, "webhook_url", webhook.url)
    monkeypatch.setattr(NotifySlack, "request_rate_per_sec", 0)
    webhook.answers = [(200, "no_service"), (200, "ok")]
    channel = _channel("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#ops")
    with pytest.raises(ReceiverAwayError):
        await channel.take([News(_alert())])
    await channel.take([News(_alert())])
    assert "At stake: 12,345.67 CNY" in json.dumps(webhook.bodies[1])


def test_mail_has_its_address() -> None:
    assert repr(Notifier("mail", f"mailtos://user:{_SECRET}@mail.example?to=a@mail.example")) == (
        "Notifier('mail')"
    )


# --- the command --------------------------------------------------------------------------------


def test_one_test_message_goes_to_each_route_and_a_dead_one_fails_the_command(
    tmp_path: Path, secret_file: Path
) -> None:
    path = _file(tmp_path, f"{{name: dead, address: {{file: {secret_file.name}}}}}")
    done = CliRunner().invoke(app, ["deliver", "--channels", str(path), "--test"])
    assert done.exit_code == 1
    assert done.output.splitlines() == ["dead: NOT taken: wrong address, or its receiver is away"]
    none = CliRunner().invoke(app, ["deliver", "--test"])
    assert none.exit_code == 1
    assert "add --channels FILE" in none.output


async def test_a_test_message_says_that_it_is_one(webhook: Webhook) -> None:
    await _channel(webhook.url.replace("http://", "json://"), "desk").try_out()
    [body] = webhook.bodies
    assert body["title"] == "[TEST] Roompulse, route desk"
