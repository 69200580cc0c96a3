"""How does a message get to a chat, a mailbox or a webhook? Through apprise, which this file hides.

An address is apprise's: `dingtalk://`, `feishu://`, `wecombot://`, `slack://`, `mailtos://`,
`jsons://` and many more. It is a secret: no error, no log and no `repr` of ours holds it, and what
apprise itself would log is turned off, for at some levels that is the whole request.
"""

import asyncio
import logging
from types import ModuleType
from typing import Any

import apprise
from apprise.plugins import dingtalk, wecombot

from streams.shell.alert_texts import Message
from streams.shell.delivery import ReceiverAwayError

# As long as apprise waits for a connection and for an answer: 4 s each; it is tried again anyway.
_SERVICE_SECONDS = 30.0
_TYPES = {
    "page": apprise.NotifyType.FAILURE,
    "review": apprise.NotifyType.WARNING,
    "info": apprise.NotifyType.INFO,
}

# Both tell at some level to where they connect, with the token that is part of it.
logging.getLogger("apprise").disabled = True
logging.getLogger("urllib3").setLevel(logging.CRITICAL + 1)


class AddressError(ValueError):
    """What is no address; the text does not hold it."""


class _Answers(ModuleType):
    """The library `requests` for plug-ins that take status 200 for a success.

    DingTalk and WeCom answer 200 to what they refuse, too (a wrong signature, too many messages in
    a minute), with an `errcode` beside it. Without a look at that, the message would be lost.
    """

    def __init__(self, library: ModuleType) -> None:
        super().__init__(library.__name__)
        self._library = library

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the library has
        return getattr(self._library, name)

    def post(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the library's
        """As the library's, but what is refused is no success."""
        answer = self._library.post(*args, **kwargs)
        try:
            said = answer.json()
        except ValueError:
            return answer
        if isinstance(said, dict) and said.get("errcode"):
            raise self._library.RequestException("refused")
        return answer


for _plugin in (dingtalk, wecombot):
    vars(_plugin)["requests"] = _Answers(vars(_plugin)["requests"])


class Notifier:
    """Sends to one address.

    Args:
        name: what it is called where something is told of it.
        address: as apprise writes it.

    Raises:
        AddressError: apprise knows no such address.
    """

    def __init__(self, name: str, address: str) -> None:
        asset = apprise.AppriseAsset(
            app_id="Roompulse",
            app_desc="Roompulse",
            app_url="",
            storage_mode=apprise.PersistentStoreMode.MEMORY,
            secure_logging=True,
            service_timeout=_SERVICE_SECONDS,
            http_redirects=False,  # a message goes where it was addressed to, and nowhere else
            async_mode=False,
        )
        self._name = name
        self._apprise = apprise.Apprise(asset=asset)
        if not self._apprise.add(address) or len(self._apprise) != 1:
            raise AddressError(
                "this is not one address: write dingtalk://, feishu://, wecombot://, slack://,"
                " mailtos:// or jsons:// as in docs/guides/channels.md"
            )

    def __repr__(self) -> str:
        return f"Notifier({self._name!r})"

    async def send(self, message: Message) -> None:
        """Return once the message is taken.

        Raises:
            ReceiverAwayError: it was not; apprise does not tell what is gone for good from what is
                not, so the same is tried again.
        """
        if not await asyncio.to_thread(self._send, message):
            raise ReceiverAwayError(f"route {self._name} does not take messages")

    def _send(self, message: Message) -> bool:
        result = self._apprise.notify(
            title=message.title,
            body=message.text,
            notify_type=_TYPES.get(message.severity, apprise.NotifyType.INFO),
            body_format=apprise.NotifyFormat.TEXT,
        )
        return bool(result)
