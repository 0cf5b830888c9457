from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FAKE = """
import torch
torch.library.register_fake("torchvision::nms")(lambda dets, scores, threshold: dets)
torch.library.register_fake("torchvision::qnms")(lambda dets, scores, threshold: dets)
"""
"""What the real one does while it is imported, and stops at where its compiled operators did not load."""
OWN = 'import torch\nkept = torch.library.Library("torchvision", "DEF")\nkept.define("nms(Tensor a) -> Tensor")\n'
"""One whose operators do load; a second declaration of them would raise."""


def python(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)


@pytest.mark.parametrize(("content", "broken"), [(FAKE, True), (OWN, False)])
def test_a_torchvision_without_its_operators_is_imported(tmp_path: Path, content: str, broken: bool) -> None:
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "__init__.py").write_text(content)
    guard = "from cinealign.views.torchvision_import import allow_torchvision; allow_torchvision()"
    assert (
        python(f"{guard}; import torchvision; assert 'torchvision' in torchvision.__file__", tmp_path).returncode == 0
    )
    if broken:
        assert "operator torchvision::nms does not exist" in python("import torchvision", tmp_path).stderr
