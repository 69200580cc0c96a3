"""The dashboards of `deploy/grafana/json/`: `python -m deploy.grafana` makes them from code."""

import sys
from pathlib import Path

from deploy.grafana.dashboards import PAGES
from deploy.grafana.drawing import drawn

FOLDER = Path(__file__).parent / "json"


def documents() -> dict[Path, str]:
    """The text of each dashboard, by the name of its file."""
    return {Path(f"{page.uid.removeprefix('roompulse-')}.json"): drawn(page) for page in PAGES}


def outdated(folder: Path = FOLDER) -> list[Path]:
    """Files that are absent, differ from what the code says now, or belong to no dashboard."""
    texts = documents()
    wrong = [
        folder / name
        for name, text in texts.items()
        if not (folder / name).is_file() or (folder / name).read_bytes() != text.encode()
    ]
    strangers = {folder / name for name in texts}.symmetric_difference(folder.glob("*.json"))
    return sorted({*wrong, *strangers})


def write(folder: Path = FOLDER) -> list[Path]:
    """Write all dashboards, delete what belongs to none; the files that were not so before."""
    texts, changed = documents(), outdated(folder)
    for path in changed:
        if path.relative_to(folder) in texts:
            path.write_text(texts[path.relative_to(folder)], encoding="utf-8")
        else:
            path.unlink()
    return changed


def main(arguments: list[str]) -> int:
    """Write the dashboards, or with `--check` say which are not current; the exit code."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write("usage: python -m deploy.grafana [--check]\n")
        return 2
    paths = outdated() if arguments else write()
    word = "not current" if arguments else "written"
    sys.stdout.writelines(f"{word}  {path.name}\n" for path in paths)
    return int(bool(arguments and paths))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
