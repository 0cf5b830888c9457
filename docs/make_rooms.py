"""The room table of CONTRIBUTING.md, from the first docstring line of every package and top-level module.

.venv/bin/python docs/make_rooms.py
"""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
FILE = ROOT / "CONTRIBUTING.md"
PACKAGE = ROOT / "src" / "cinealign"
START, END = "<!-- rooms: written by docs/make_rooms.py -->\n", "<!-- end of rooms -->\n"


def page(text: str) -> str:
    """CONTRIBUTING.md with its room table as the code has it.

    Args:
        text: the file as it stands, with both marks.
    """
    head, _, rest = text.partition(START)
    _, mark, tail = rest.partition(END)
    if not mark:
        raise ValueError(f"{FILE.name} lacks {START.strip()!r} or {END.strip()!r}")
    return f"{head}{START}{table(PACKAGE)}{END}{tail}"


def table(package: Path) -> str:
    """One row per package, then one per top-level module."""
    packages = [(f"{file.parent.name}/", file) for file in sorted(package.glob("*/__init__.py"))]
    modules = [(file.name, file) for file in sorted(package.glob("*.py"))]
    rows = [f"| `{name}` | {first_line(file)} |" for name, file in packages + modules]
    return "\n".join(["| room | what belongs there |", "|---|---|", *rows]) + "\n"


def first_line(file: Path) -> str:
    """The first line of a module's docstring.

    Raises:
        ValueError: the module has none, or it is not a sentence on one line.
    """
    line = (ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "").partition("\n")[0]
    if not line.endswith("."):
        raise ValueError(f"{file}: the first docstring line says in one sentence what belongs there")
    return line


if __name__ == "__main__":
    FILE.write_text(page(FILE.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"wrote the room table of {FILE.name}")
