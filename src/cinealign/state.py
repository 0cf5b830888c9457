"""What a fitted part has learned, saved as arrays and JSON in safetensors, never as a pickle."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign.errors import DataError, ModelError


@dataclass
class State:
    """Arrays and JSON values by name."""

    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write to `path` at once or not at all (written beside, then renamed).

        Raises:
            DataError: there is no room, or it cannot be written.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import save_file

        beside = path.with_name(path.name + ".part")
        arrays = {name: np.ascontiguousarray(array) for name, array in self.arrays.items()}
        try:
            save_file(arrays, beside, metadata={"values": json.dumps(self.values)})
            beside.replace(path)
        except SafetensorError as error:  # how its writer says what the system told it
            beside.unlink(missing_ok=True)
            raise DataError(f"{path} cannot be written ({error}); is there room?") from None

    @staticmethod
    def shapes(path: Path) -> dict[str, tuple[int, ...]]:
        """The shape of every array in a file that `save` wrote, from its header alone.

        Raises:
            ModelError: the file is missing or damaged.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, framework="numpy") as file:
                return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError, ValueError) as error:
            raise ModelError(f"{path} cannot be read ({error}); run the recipe again with --force") from None

    @classmethod
    def load(cls, path: Path) -> State:
        """Read what `save` wrote.

        Raises:
            ModelError: the file is missing or damaged.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, framework="numpy") as file:
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
                values = json.loads((file.metadata() or {}).get("values", "{}"))
        except (OSError, SafetensorError, ValueError, RecursionError) as error:
            raise ModelError(f"{path} cannot be read ({error}); run the recipe again with --force") from None
        if not isinstance(values, dict):
            raise ModelError(f"{path} is damaged: its values have no names; run the recipe again with --force")
        return cls(arrays, values)
