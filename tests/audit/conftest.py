import shutil

import pytest

from cinealign.run import Run


@pytest.fixture
def copied(finished, tmp_path):
    """A copy of the finished run that a test may spoil."""
    shutil.copytree(finished.folder, tmp_path / "run")
    return Run(tmp_path / "run")
