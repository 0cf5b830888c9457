"""Weights that come in installed packages: found without importing the package, and checked before they are used."""

from __future__ import annotations

import hashlib
import os
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


WEIGHTS_VARIABLE = "CINEALIGN_WEIGHTS"
"""Environment variable that names a folder of model folders; `cinealign run --weights` sets it."""


class MissingWeightsError(ModelError):
    """Weights that a recipe asks for are not on this machine."""


def use_weights(folder: Path) -> None:
    """Look for models in `folder` from now on, in this process and those that it starts.

    Raises:
        ModelError: it is not a folder.
    """
    if not folder.is_dir():
        raise ModelError(f"--weights {folder} is not a folder; give the one that holds the model folders by name")
    os.environ[WEIGHTS_VARIABLE] = str(folder.resolve())


def model_folder(name: str, *, hub: bool = False) -> Path:
    """The folder with the files of a model in Hugging Face's form.

    Looked for in this order: `name` as a folder; in the folder of `--weights` under the whole name, with "--" for "/", or
    under its last part; in the hub's cache on this machine; and on the hub only if `hub` says so.

    Args:
        name: a folder, or a hub id such as "openai/clip-vit-base-patch32".
        hub: whether it may be downloaded.
    Raises:
        MissingWeightsError: it is nowhere, with what to do.
        ModelError: its weights are not in safetensors; pickles are not read, as they can run code.
    """
    places = [Path(name).expanduser()]
    if given := os.environ.get(WEIGHTS_VARIABLE):
        places += [Path(given) / name, Path(given) / name.replace("/", "--"), Path(given) / name.rpartition("/")[2]]
    found = next((place for place in places if (place / "config.json").is_file()), None) or _from_hub(name, hub)
    if not (any(found.glob("*.safetensors")) or any(found.glob("*/*.safetensors"))):
        raise ModelError(f"{found} holds no .safetensors file; save the model with safe_serialization=True")
    return found


def folder_digest(folder: Path) -> str:
    """sha256 over the names and contents of the model files in `folder`, for a cache's settings."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in (".safetensors", ".json", ".txt", ".model"):
            content = file_sha256(path, path.stat().st_mtime_ns)
            digest.update(f"{path.relative_to(folder).as_posix()} {content}\n".encode())
    return digest.hexdigest()


def _from_hub(name: str, hub: bool) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    wanted = ["*.safetensors", "*.json", "*.txt", "*.model"]
    try:
        return Path(snapshot_download(name, local_files_only=not hub, allow_patterns=wanted))
    except (LocalEntryNotFoundError, HFValidationError, HfHubHTTPError, OSError) as error:
        remedy = "pass --weights DIR"
        if hub:
            remedy += f" (the hub could not be used: {type(error).__name__})"
        raise MissingWeightsError(f"needs weights {name!r} and they are not on this machine; {remedy}") from None
