"""The documentation builds as a site: every link leads somewhere, every page is in the menu, every API name exists."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def _build(config: Path, out: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--config-file", str(config), "--site-dir", str(out)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_site_builds_without_a_broken_link(tmp_path: Path) -> None:
    built = _build(ROOT / "mkdocs.yml", tmp_path / "site")
    assert built.returncode == 0, built.stderr
    assert "get_acc" in (tmp_path / "site" / "api.html").read_text(encoding="utf-8")
    assert "留出集" in (tmp_path / "site" / "zh" / "index.html").read_text(encoding="utf-8")
    pages = [page.read_text(encoding="utf-8") for page in (tmp_path / "site").glob("*.html")]
    assert not any('src="http' in page or '<link href="http' in page for page in pages), "the site works offline"


def test_a_broken_link_is_an_error(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "index.md").write_text("[nowhere](missing.md)", encoding="utf-8")
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    head, _, rest = text.partition("\nplugins:")
    validation = rest.partition("\nvalidation:")[2].partition("\nnav:")[0]
    config = tmp_path / "mkdocs.yml"
    config.write_text(f"{head}\nvalidation:{validation}\n", encoding="utf-8")
    assert "missing.md" in _build(config, tmp_path / "site").stderr
