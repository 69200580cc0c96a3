"""Which files make the page? Read once at start, so that no path of a request touches the disk."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "static"
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the page: its bytes, their type, and what tells this content from another."""

    body: bytes
    content_type: str
    tag: str


def assets(folder: Path = FOLDER) -> dict[str, Asset]:
    """Every file that is served, by its path below the folder; licences stay where they are."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix in _TYPES:
            body = path.read_bytes()
            tag = hashlib.sha256(body).hexdigest()[:32]
            found[path.relative_to(folder).as_posix()] = Asset(body, _TYPES[path.suffix], tag)
    return found
