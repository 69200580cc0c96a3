"""What is said when a session file cannot be used."""

from pathlib import Path


class SessionFileError(Exception):
    """A session file that cannot be read or written; its text is one line that says what to do."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem
