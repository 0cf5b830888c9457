"""Which run an analysis is of."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cinealign.errors import DataError
from cinealign.run import Run


@dataclass(frozen=True, kw_only=True)
class RunIdentity:
    """A run by its recipe's name, the digest of its data, and the SHA-256 of its vectors."""

    recipe: str
    digest: str
    vectors: str

    @classmethod
    def of(cls, run: Run) -> RunIdentity:
        """Of a run that has its vectors.

        Raises:
            DataError: they cannot be read.
        """
        path = run.folder / "vectors.safetensors"
        try:
            with path.open("rb") as opened:
                vectors = hashlib.file_digest(opened, "sha256").hexdigest()
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror}; run the recipe again with --force") from None
        return cls(recipe=run.recipe.name, digest=run.catalogue["digest"], vectors=vectors)

    def is_of(self, run: Run) -> bool:
        """Whether it is `run`, by its vectors; by recipe and data where it has none, as in a submission."""
        if not run.has_vectors:
            return (self.recipe, self.digest) == (run.recipe.name, run.catalogue["digest"])
        return self.vectors == RunIdentity.of(run).vectors
