"""Run every benchmark of this folder, one after another; exit 1 if a gate is missed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Return the worst exit status."""
    worst = 0
    for script in sorted(Path(__file__).parent.glob("bench_*.py")):
        print(f"== {script.stem}", flush=True)
        worst = max(worst, subprocess.run([sys.executable, script], check=False).returncode)  # noqa: S603
    return worst


if __name__ == "__main__":
    sys.exit(main())
