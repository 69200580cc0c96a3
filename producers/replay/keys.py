"""Which key asks what of a running replay: space pauses and resumes, + and - change speed, q stops.

Reads single keys from a terminal, and gives it back as it was. Where standard input is no
terminal, nothing is read.
"""

import asyncio
import contextlib
import os
import sys
import termios
import tty
from collections.abc import Iterator

from .run import Control

HELP = "space pause, + faster, - slower, q stop"


def press(control: Control, key: str) -> None:
    """Do what a key asks; any other key does nothing."""
    match key:
        case " ":
            control.pause_or_resume()
        case "+" | "=":  # the same key, with and without shift
            control.faster()
        case "-" | "_":
            control.slower()
        case "q" | "Q":
            control.stop()


@contextlib.contextmanager
def keys_of_terminal(control: Control) -> Iterator[bool]:
    """Let the keys of the terminal drive a replay; says whether there is a terminal."""
    if not sys.stdin.isatty():
        yield False
        return
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    loop = asyncio.get_running_loop()

    def read() -> None:
        for key in os.read(terminal, 64).decode(errors="ignore"):
            press(control, key)

    try:
        # single keys without echo; Ctrl-C stays a signal
        tty.setcbreak(terminal)
        loop.add_reader(terminal, read)
        yield True
    finally:
        loop.remove_reader(terminal)
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
