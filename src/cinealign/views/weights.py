"""Weights that come in installed packages: found without importing the package, and checked before they are used."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from cinealign.errors import ModelError


def packaged_folder(package: str) -> Path:
    """The folder of an installed top-level package, which is not imported.

    Raises:
        ModelError: it is not installed.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(f"package {package!r} is not installed; {_remedy(package)}")
    return Path(next(iter(spec.submodule_search_locations)))


def packaged_file(package: str, name: str, sha256: str) -> Path:
    """The file `name` (a path inside the package) once its content is known to be the expected one.

    Args:
        package: top-level package that holds the file.
        name: path inside the package, with forward slashes.
        sha256: the expected hash, 64 hexadecimal digits.
    Returns:
        The file's path.
    Raises:
        ModelError: the package or the file is missing, or the file is another one.
    """
    path = packaged_folder(package) / name
    if not path.is_file():
        raise ModelError(f"package {package!r} has no file {name}; {_remedy(package)}")
    found = file_sha256(path, path.stat().st_mtime_ns)
    if found != sha256:
        raise ModelError(
            f"{package}/{name} has sha256 {found[:12]}..., expected {sha256[:12]}...; features would differ; "
            f"{_remedy(package)}"
        )
    return path


@cache
def file_sha256(path: Path, modified: int) -> str:
    """sha256 of a file; `modified`, its time of change in nanoseconds, tells a changed file from the remembered one."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _remedy(package: str) -> str:
    return f"pip install --force-reinstall --no-deps {package.replace('_', '-')} in the version that cinealign names"
