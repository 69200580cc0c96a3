"""`roompulse demo`"""


def demo() -> None:
    """x"""
