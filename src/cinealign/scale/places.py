"""Folders and buckets under one interface: a local path, or a URI that pyarrow or fsspec knows (s3://, gs://, file:// ...)."""

from __future__ import annotations

import io
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cinealign.errors import ConfigError, DataError


@dataclass(frozen=True)
class Place:
    """A file or folder, local or remote; it travels to workers as its address alone."""

    uri: str

    @classmethod
    def of(cls, given: str | Path | Place) -> Place:
        """The place that a user names; a local path becomes absolute, as workers may run elsewhere."""
        if isinstance(given, Place):
            return given
        text = str(given)
        if text.startswith("file://"):
            text = text.removeprefix("file://")
        return cls(text.rstrip("/") if "://" in text else str(Path(text).absolute()))

    @property
    def is_local(self) -> bool:
        """Whether it lies in the file system of this machine."""
        return "://" not in self.uri

    @property
    def name(self) -> str:
        """The last part of the address."""
        return self.address.rpartition("/")[2]

    @property
    def address(self) -> str:
        """Without the options behind a "?", which are pyarrow's: what Lance takes."""
        return self.uri.partition("?")[0]

    def child(self, name: str) -> Place:
        """What is called `name` within this folder; options behind a "?" stay behind it."""
        head, mark, options = self.uri.partition("?")
        return Place(f"{head}/{name}{mark}{options}")

    def sibling(self, given: str) -> Place:
        """What a path in a file at this place means: a URI or absolute path as it is, another one from this folder."""
        return Place.of(given) if "://" in given or given.startswith("/") else self.child(given)

    def is_file(self) -> bool:
        """Whether there is such a file."""
        return bool(self._info().is_file)

    def is_folder(self) -> bool:
        """Whether there is such a folder."""
        from pyarrow import fs

        return bool(self._info().type == fs.FileType.Directory)

    def make(self) -> None:
        """Make the folder; a bucket needs none.

        Raises:
            ConfigError: it cannot be made.
        """
        try:
            self._system.create_dir(self._path, recursive=True)
        except OSError as error:
            raise ConfigError(f"{self.uri} cannot be written: {_reason(error)}; choose another --out") from None

    def files(self, *, deep: bool = False) -> list[tuple[str, int]]:
        """Name within the folder and size of every file, sorted by name; hidden ones and those in hidden folders left out.

        Raises:
            DataError: the folder is missing or cannot be read.
        """
        from pyarrow import fs

        try:
            found = self._system.get_file_info(fs.FileSelector(self._path, recursive=deep))
        except OSError as error:
            raise DataError(f"{self.uri} cannot be read: {_reason(error)}") from None
        home = f"{self._path.rstrip('/')}/"
        named = [(info.path.removeprefix(home), int(info.size)) for info in found if info.is_file]
        return sorted(each for each in named if not any(part.startswith(".") for part in each[0].split("/")))

    def read(self) -> bytes:
        """The file's bytes.

        Raises:
            DataError: it cannot be read.
        """
        try:
            with self._system.open_input_stream(self._path) as stream:
                content: bytes = stream.read()
        except OSError as error:
            raise DataError(f"{self.uri} cannot be read: {_reason(error)}") from None
        return content

    def write(self, content: bytes) -> None:
        """Write the file whole or not at all."""
        with self.writing() as stream:
            stream.write(content)

    @contextmanager
    def writing(self) -> Iterator[Any]:
        """A stream whose file appears when the block ends well: by a rename here, as object stores do by themselves.

        Raises:
            ConfigError: it cannot be written.
        """
        if not self.is_local:  # a stream that is closed by an error would leave half an object
            held = io.BytesIO()
            yield held
            try:
                with self._system.open_output_stream(self._path) as stream:
                    stream.write(held.getbuffer())
            except OSError as error:
                raise ConfigError(f"{self.uri} cannot be written: {_reason(error)}; choose another place") from None
            return
        target = Path(self._path)
        beside = target.with_name(f"{target.name}.{secrets.token_hex(6)}.part")
        try:
            with beside.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            beside.replace(target)
        except OSError as error:
            raise ConfigError(f"{self.uri} cannot be written: {_reason(error)}; choose another place") from None
        finally:
            beside.unlink(missing_ok=True)

    def opened(self) -> Any:
        """The file for random access, as Parquet wants it.

        Raises:
            DataError: it cannot be read.
        """
        try:
            return self._system.open_input_file(self._path)
        except OSError as error:
            raise DataError(f"{self.uri} cannot be read: {_reason(error)}") from None

    def remove_folder(self) -> None:
        """Remove the folder and all in it; nothing where there is none."""
        with suppress(FileNotFoundError):
            self._system.delete_dir(self._path)

    def _info(self) -> Any:
        try:
            return self._system.get_file_info(self._path)
        except OSError as error:
            raise DataError(f"{self.uri} cannot be read: {_reason(error)}") from None

    @cached_property
    def _found(self) -> tuple[Any, str]:
        from pyarrow import fs

        if self.is_local:
            return fs.LocalFileSystem(), self.uri
        try:
            system, path = fs.FileSystem.from_uri(self.uri)
            return system, path
        except (ValueError, OSError) as error:
            known = error
        import fsspec

        scheme, _, rest = self.uri.partition("://")
        try:
            return fs.PyFileSystem(fs.FSSpecHandler(fsspec.filesystem(scheme))), rest
        except (ValueError, ImportError):
            raise ConfigError(f"{self.uri} cannot be opened: {_reason(known)}") from None

    @property
    def _system(self) -> Any:
        return self._found[0]

    @property
    def _path(self) -> str:
        return self._found[1]

    def __getstate__(self) -> dict[str, str]:
        return {"uri": self.uri}  # a file system is opened anew where the place arrives


def _reason(error: Exception) -> str:
    said = getattr(error, "strerror", None) or str(error)
    return " ".join(str(said).split())[:200]
