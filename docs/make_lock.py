"""Write requirements.lock: every pinned package of constraints.txt with the sha256 of its files (`make lock`).

Needs uv and PyPI. PyPI has no CPU build of torch, which this project is tested with; its hash, the only one
allowed, is kept here.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
CPU_BUILDS = {"torch==2.13.0": "6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b"}
"""Pin -> sha256 of torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl."""
HEAD = """\
# Every package of constraints.txt with the sha256 of its files: the tested set, byte for byte; made by `make lock`.
# pip install --require-hashes --no-deps --extra-index-url https://download.pytorch.org/whl/cpu -r requirements.lock
# torch is the CPU build for Linux and Python 3.11 (torch-2.13.0+cpu), which PyPI does not have.
"""


def main() -> None:
    command = [sys.executable, "-m", "uv", "pip", "compile", "constraints.txt", "--generate-hashes", "--no-deps"]
    command += ["--no-header", "--no-annotate", "--python-version", "3.11.9"]
    command += ["--python-platform", "x86_64-manylinux_2_28"]
    found = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    for pin, digest in CPU_BUILDS.items():
        entry = re.compile(rf"^{re.escape(pin)} \\\\\n(?:    --hash=.*\n)+", re.MULTILINE)
        if not entry.search(found):
            raise SystemExit(f"constraints.txt does not pin {pin}: give the new CPU build's hash in {__file__}")
        found = entry.sub(f"{pin} \\\\\n    --hash=sha256:{digest}\n", found)
    (ROOT / "requirements.lock").write_text(HEAD + found, encoding="utf-8")


if __name__ == "__main__":
    main()
