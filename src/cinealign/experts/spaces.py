"""What is worth tuning of each kind of expert where no search space is given: its options and their ranges.

A kind that is not listed has nothing to tune by default; a space file can name any option of any expert.
"""

from __future__ import annotations

from typing import Any

DEFAULT_SPACES: dict[str, dict[str, dict[str, Any]]] = {
    "cca": {
        "dimensions": {"int": [16, 256], "log": True},
        "ridge": {"float": [0.3, 300.0], "log": True},
    },
    "contrastive": {
        "dimensions": {"int": [32, 256], "log": True},
        "dropout": {"float": [0.0, 0.6]},
        "training.learning_rate": {"float": [1e-4, 1e-2], "log": True},
        "training.weight_decay": {"float": [1e-3, 1.0], "log": True},
        "training.epochs": {"int": [10, 80], "log": True},
    },
    "lexical": {"min_df": {"int": [1, 5]}},
    "residual_ridge": {"ridge": {"float": [0.3, 300.0], "log": True}},
    "shared_space": {"center": {"categorical": [True, False]}},
}
"""Kind of expert -> option (dotted) -> axis, as in a space file. `memory` knows train pairs only: folds cannot judge it."""
