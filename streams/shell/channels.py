"""Who is told of which alerts, where and in which language? A YAML file of routes.

```yaml
language: zh                       # of every route that names none: zh or en
room_url: https://grafana.example/d/room
routes:
  - name: on-call
    address: {env: ROOMPULSE_ON_CALL}      # an address of apprise, such as dingtalk://TOKEN
    severities: [page]
  - name: harbour-desk
    address: {file: /run/secrets/harbour}
    mcns: [mcn-harbour]
    kinds: [brushed_orders, refund_surge]
    language: en
```

An alert goes to every route that wants it. What a route does not narrow, it takes whole. Addresses
hold tokens and passwords: they stand in the environment or in files, never in this one.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from schemas.records import ALERT_KINDS, Alert
from streams.core.integrity.incident import Severity
from streams.shell.alert_texts import Language, Message, message_of, trial_message
from streams.shell.delivery import News
from streams.shell.notifying import AddressError, Notifier
from streams.yaml_files import YamlFileError, read_yaml

MOST_ROUTES = 50
_LONGEST_ADDRESS = 2_000
_SEVERITIES = get_args(Severity)

_Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,48}$")]


class ChannelsFileError(Exception):
    """A file whose routes cannot be used; the text is one line, and holds no address."""


class Address(BaseModel):
    """Where the address of a route stands: in the environment or in a file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    env: str | None = None
    file: Path | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "Address":
        if (self.env is None) is (self.file is None):
            raise ValueError("say where the address stands: {env: NAME} or {file: PATH}")
        return self

    def read(self, beside: Path) -> str:
        """The address itself; a relative file stands beside the file of the routes.

        Raises:
            ValueError: there is none; the text does not hold it.
        """
        if self.env is not None:
            text = os.environ.get(self.env, "")
            where = f"the environment has no {self.env}"
        else:
            path = beside / str(self.file)
            where = f"{path} holds no address"
            try:
                text = path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise ValueError(f"{path} cannot be read ({type(error).__name__})") from None
        if not 0 < len(text.strip()) <= _LONGEST_ADDRESS:
            raise ValueError(where)
        return text.strip()


class Route(BaseModel):
    """Who is told of which alerts; what is absent narrows nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: _Name
    address: Address
    severities: tuple[Literal["page", "review", "info"], ...] = _SEVERITIES
    mcns: tuple[str | None, ...] | None = None
    kinds: tuple[str, ...] = ALERT_KINDS
    language: Language | None = None

    @field_validator("kinds")
    @classmethod
    def _known_kinds(cls, kinds: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := sorted(set(kinds) - set(ALERT_KINDS)):
            raise ValueError(f"no such kind: {', '.join(unknown)}")
        return kinds

    def wants(self, alert: Alert) -> bool:
        """Whether it is told of such an alert; null among `mcns` is a host without an agency."""
        return (
            alert.severity in self.severities
            and alert.kind in self.kinds
            and (self.mcns is None or alert.mcn_id in self.mcns)
        )


class Channels(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    routes: Annotated[tuple[Route, ...], Field(min_length=1, max_length=MOST_ROUTES)]
    language: Language = "en"
    room_url: Annotated[str, Field(pattern="^https?://")] | None = None

    @field_validator("routes")
    @classmethod
    def _names_differ(cls, routes: tuple[Route, ...]) -> tuple[Route, ...]:
        names = [route.name for route in routes]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two routes are called {', '.join(twice)}")
        return routes


class Channel:
    """One route as a receiver of the delivery."""

    is_repeated = False  # people remember
    starts_now = True
    holds_back = True

    def __init__(
        self, route: Route, notifier: Notifier, language: Language, room_url: str | None
    ) -> None:
        self.name = route.name
        self._route = route
        self._notifier = notifier
        self._language = language
        self._room_url = room_url

    def wants(self, alert: Alert) -> bool:
        """As the route says."""
        return self._route.wants(alert)

    async def take(self, news: Sequence[News]) -> None:
        """Send a message for each version, in order.

        Raises:
            ReceiverAwayError: it was not taken.
        """
        for each in news:
            await self._notifier.send(self.message(each))

    async def try_out(self) -> None:
        """Send a message that says it is a test.

        Raises:
            ReceiverAwayError: it was not taken.
        """
        await self._notifier.send(trial_message(self.name, self._language))

    def message(self, news: News) -> Message:
        """What is sent of a version."""
        return message_of(news.alert, self._language, self._room_url)

    def wording(self, news: News) -> str:
        """The message after the name of the route."""
        message = self.message(news)
        text = message.text.replace("\n", "\n    ")
        return f"to {self.name}: {message.title}\n    {text}"


def read_channels(path: Path, room_url: str | None = None) -> list[Channel]:
    """The routes of a file, ready to be told; `room_url` where the file has none.

    Raises:
        ChannelsFileError: the file, a route or an address is wrong.
    """
    try:
        channels = Channels.model_validate(read_yaml(path))
    except OSError as error:
        why = (error.strerror or "cannot be read").lower()
        raise ChannelsFileError(f"{path}: {why}") from None
    except YamlFileError as error:
        raise ChannelsFileError(str(error)) from None
    except ValidationError as error:
        # without the input: what was written in the wrong place may be a secret
        told = "; ".join(f"{_place(each['loc'])}: {each['msg']}" for each in error.errors())
        raise ChannelsFileError(f"{path}: {told}") from None
    found = []
    for route in channels.routes:
        try:
            notifier = Notifier(route.name, route.address.read(path.parent))
        except (ValueError, AddressError) as error:
            raise ChannelsFileError(f"{path}: route {route.name}: {error}") from None
        language = route.language or channels.language
        found.append(Channel(route, notifier, language, channels.room_url or room_url))
    return found


def _place(parts: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in parts) or "the file"
