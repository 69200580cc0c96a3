"""A `roompulse worker` that tells at its end where its processor time went.

Usage: sampled_worker FILE worker OPTIONS. Ends as the worker does, on SIGTERM.
"""

import sys
from pathlib import Path

from benchmarks.sampling import sampled
from roompulse.cli.app import main

if __name__ == "__main__":
    report = Path(sys.argv.pop(1))
    with sampled() as stacks:
        try:
            main()
        finally:
            report.write_text(stacks.text())
