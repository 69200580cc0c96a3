"""Where does it stand what an alert means and what to do? The runbook has a section for each kind.

Messages to people, Alertmanager, the console, the terminal and the report all name it from here.
"""

# In the project's own tree, for it has no home on the net.
RUNBOOK = "docs/runbook.md"


def runbook_section(kind: str) -> str:
    """The section of a kind of alert, as a path from the top of the project with an anchor."""
    return f"{RUNBOOK}#{kind.lower()}"
