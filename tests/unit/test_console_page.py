"""The page of the console: nothing inline or from elsewhere, every text in both languages."""

import hashlib
import json
import re
from pathlib import Path
from typing import get_args

import pytest

from roompulse.console import assets
from roompulse.console.guard import HEADERS
from roompulse.console.page import SECTIONS
from roompulse.console.wish import SCOPES
from schemas.events import ComplaintKind, Mode, Party, RefundReason
from schemas.records import ALERT_KINDS, Judgement
from streams.core.boards import WINDOWS
from streams.core.integrity.alert_book import SEVERITIES, STATUSES
from streams.core.integrity.signs import SIGNS

STATIC = assets.FOLDER
PAGES = sorted(STATIC.glob("*.html"))
SCRIPTS = sorted((STATIC / "js").glob("*.js"))
TEXTS = json.loads((STATIC / "texts.json").read_text(encoding="utf-8"))
LONGEST_SCRIPT = 200


def test_every_text_is_there_in_both_languages() -> None:
    for key, texts in TEXTS.items():
        assert set(texts) - {"one"} == {"en", "zh"}, key
        assert all(text.strip() for text in texts.values()), key
        values = {language: set(re.findall(r"\{\w+\}", text)) for language, text in texts.items()}
        assert all(one == values["en"] for one in values.values()), f"{key} has other values"


def test_every_text_that_the_page_asks_for_is_there() -> None:
    asked = set()
    for path in (*SCRIPTS, *PAGES):
        text = path.read_text(encoding="utf-8")
        asked |= set(re.findall(r'\bt\("(\w+)"', text)) | set(
            re.findall(r'data-text="(\w+)"', text)
        )
    assert len(asked) > 60
    assert sorted(asked - set(TEXTS)) == []


@pytest.mark.parametrize(
    ("prefix", "names"),
    [
        ("kind", ALERT_KINDS),
        ("severity", SEVERITIES),
        ("status", STATUSES),
        ("said", get_args(Judgement)),
        ("scope", SCOPES),
        ("window", WINDOWS),
        ("mode", get_args(Mode)),
        ("party", get_args(Party)),
        ("reason", get_args(RefundReason)),
        ("complaint", get_args(ComplaintKind)),
        ("signal", SIGNS),
        ("state", ("live", "stale", "lost", "history", "empty")),
    ],
)
def test_every_word_of_the_log_has_a_text(prefix: str, names: tuple[str, ...]) -> None:
    assert [name for name in names if f"{prefix}_{name}" not in TEXTS] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_holds_no_script_or_style_of_its_own(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", text)
    for address in re.findall(r'(?:src|href|action)="([^"]*)"', text):
        assert address.startswith(("/static/", "/login", "#")), address


def test_scripts_write_no_markup_and_ask_nobody_else() -> None:
    for path in SCRIPTS:
        text = path.read_text(encoding="utf-8")
        forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function"
        assert not re.search(forbidden, text), path.name
        addresses = set(re.findall(r"https?://[^\s\"'`)]+", text))
        assert addresses <= {"http://www.w3.org/2000/svg"}, path.name
        assert len(text.splitlines()) <= LONGEST_SCRIPT, path.name


def test_every_file_that_a_page_or_a_script_names_is_served() -> None:
    served = assets.assets()
    for path in (*SCRIPTS, *PAGES):
        text = path.read_text(encoding="utf-8")
        for name in re.findall(r"/static/([\w./-]+)", text):
            assert name in served, f"{path.name} names {name}"
        for name in re.findall(r'from "\./([\w.]+)"', text):
            assert f"js/{name}" in served, f"{path.name} names {name}"
    assert "vendor/VENDORED.md" not in served


def test_scripts_listen_for_the_sections_that_are_sent() -> None:
    text = (STATIC / "js" / "stream.js").read_text(encoding="utf-8")
    (listed,) = re.findall(r"SECTIONS = \[([^\]]*)\]", text)
    assert tuple(re.findall(r'"(\w+)"', listed)) == SECTIONS


def test_what_was_vendored_is_what_was_noted() -> None:
    note = (STATIC / "vendor" / "VENDORED.md").read_text(encoding="utf-8")
    noted = dict(re.findall(r"\| `([\w.]+)` \| `[\w./]+` \| `([0-9a-f]{64})` \|", note))
    files = {path.name: path for path in (STATIC / "vendor").iterdir() if path.suffix != ".md"}
    assert set(noted) == set(files)
    for name, path in files.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == noted[name], name
    assert "Permission is hereby granted" in files["uplot.LICENSE"].read_text(encoding="utf-8")


def test_the_policy_allows_the_own_origin_alone() -> None:
    policy = HEADERS["Content-Security-Policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", [":root", ':root[data-theme="light"]'])
def test_texts_can_be_read_on_their_grounds(theme: str) -> None:
    """A contrast of at least 4.5, as WCAG AA asks."""
    css = (STATIC / "css" / "base.css").read_text(encoding="utf-8")
    block = css.split(f"{theme} {{")[1].split("}")[0]
    tones = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", block))
    tones = {
        name: tone if len(tone) == 7 else "#" + "".join(2 * each for each in tone[1:])
        for name, tone in tones.items()
    }
    pairs = [(text, ground) for text in ("text", "quiet", "trusted", "suspect", "page")
             for ground in ("ground", "surface", "raised")]  # fmt: skip
    pairs += [("on-page", "page-fill"), ("suspect", "suspect-soft"), ("text", "trusted-soft"),
              ("page", "page-soft"), ("text", "page-soft"), ("quiet", "page-soft")]  # fmt: skip
    for text, ground in pairs:
        lighter, darker = sorted((_luminance(tones[text]), _luminance(tones[ground])), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, f"{text} on {ground}"
