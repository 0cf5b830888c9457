"""What the training of a two-tower network came to: parameters, history, over-fitting, and a change beside the saved run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cinealign.errors import DataError
from cinealign.figures import Language, label_of
from cinealign.recipe import Recipe
from cinealign.run import Run

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

    from cinealign.training.networks.two_tower.two_towers import TwoTowers

KIND = "network"
COLUMNS = (
    "epoch",
    "loss",
    "inner_loss",
    "learning_rate",
    "gradient_norm",
    "temperature",
    "inner_accuracy",
    "inner_log_rank",
)
WORSE = 0.001
"""A rise of the inner log rank that counts: less is a thousandth of a rank's size."""

History = Sequence[Mapping[str, Any]]


def has_network(recipe: Recipe) -> bool:
    """Whether an expert of the recipe is a two-tower network."""
    return any(expert.expert == KIND for expert in recipe.align)


def place_of_network(recipe: Recipe) -> int:
    """The place of the first two-tower network among the recipe's experts; there must be one."""
    return next(place for place, expert in enumerate(recipe.align) if expert.expert == KIND)


def of_network(history: History) -> list[Mapping[str, Any]]:
    """The epochs of the first network in a run's history, from 0, where it started.

    Raises:
        DataError: there are none.
    """
    entries = [entry for entry in history if entry.get("kind") == KIND]
    if not entries:
        raise DataError("history.jsonl has no epoch of a network; run the recipe again")
    return [entry for entry in entries if entry["expert"] == entries[0]["expert"]]


def network_of(run: Run) -> TwoTowers:
    """The module of the run's first network; there must be one."""
    towers: TwoTowers = run.model.experts[place_of_network(run.recipe)].towers  # type: ignore[attr-defined]
    return towers


def network_numbers(run: Run) -> dict[str, int | float]:
    """Parameters, vector width, epochs and the inner scores of the run's network, at its start and at the kept epoch."""
    towers, epochs = network_of(run), of_network(run.history)
    kept = next(entry for entry in epochs if entry.get("chosen"))
    return {
        "trained": sum(weight.numel() for weight in towers.parameters() if weight.requires_grad),
        "frozen": sum(weight.numel() for weight in towers.parameters() if not weight.requires_grad),
        "width": towers.plan.width,
        "epochs": epochs[-1]["epoch"],
        "kept": kept["epoch"],
        "start_log_rank": epochs[0]["inner_log_rank"],
        "kept_log_rank": kept["inner_log_rank"],
    }


def parameter_table(towers: nn.Module, lang: Language = "en") -> pd.DataFrame:
    """One row a part of the network: trained parameters, and those that keep their closed form."""
    import pandas as pd

    rows: dict[str, list[int]] = {}
    for name, weight in towers.named_parameters():
        part = ".".join(name.split(".")[:2])
        rows.setdefault(part, [0, 0])[0 if weight.requires_grad else 1] += weight.numel()
    rows["total"] = [sum(counts[at] for counts in rows.values()) for at in (0, 1)]
    columns = [label_of(text, lang) for text in ("trained parameters", "frozen parameters")]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    return table.rename(index={"total": label_of("total", lang)})


def history_table(history: History, lang: Language = "en") -> pd.DataFrame:
    """One row an epoch of the network; the one that was kept is marked."""
    import pandas as pd

    table = pd.DataFrame(
        [
            {**{key: entry.get(key) for key in COLUMNS}, "chosen": "*" if entry.get("chosen") else ""}
            for entry in of_network(history)
        ]
    ).set_index("epoch")
    table.columns = [label_of(name.replace("_", " "), lang) for name in table.columns]
    return table.rename_axis(label_of("epoch", lang))


def over_fitting(history: History) -> tuple[str, dict[str, float]]:
    """A sentence on over-fitting that follows from the numbers, in English with places, and what stands in them.

    Left-out pairs that rank worse by `WORSE` at the last epoch than at the kept one are over-fitting; a loss that falls by
    a larger share than their log rank only says that train pairs are remembered sooner than learned from.
    """
    epochs = of_network(history)
    first, last = epochs[0], epochs[-1]
    kept = next(entry for entry in epochs if entry.get("chosen"))
    numbers = {
        "kept": kept["epoch"],
        "last": last["epoch"],
        "loss0": first["loss"],
        "loss": last["loss"],
        "rank0": first["inner_log_rank"],
        "rank": kept["inner_log_rank"],
        "end": last["inner_log_rank"],
    }
    return (WORSENED if last["inner_log_rank"] > kept["inner_log_rank"] + WORSE else STEADY), numbers


WORSENED = (
    "The train loss goes from {loss0:.3f} to {loss:.3f} by epoch {last}. The inner log rank goes from {rank0:.3f} to its "
    "lowest, {rank:.3f}, in epoch {kept}, and to {end:.3f} by the last: after epoch {kept} the network over-fits, so that "
    "epoch is kept."
)
STEADY = (
    "The train loss goes from {loss0:.3f} to {loss:.3f} by epoch {last}. The inner log rank goes from {rank0:.3f} to its "
    "lowest, {rank:.3f}, in epoch {kept}, and to {end:.3f} by the last: pairs that were left out do not get worse, so no "
    "over-fitting shows up to epoch {last}."
)


def remembered(history: History) -> list[tuple[str, dict[str, float]]]:
    """A sentence on the gap between train and validation loss at the kept epoch, as in `over_fitting`.

    None where the history has no loss of left-out pairs, as of a run of before there was one, or no training that counts.
    """
    epochs = of_network(history)
    first, kept = epochs[0], next(entry for entry in epochs if entry.get("chosen"))
    fallen = first["loss"] - kept["loss"]
    if "inner_loss" not in kept or fallen <= 0:
        return []
    numbers = {"epoch": kept["epoch"], "loss0": first["loss"], "loss": kept["loss"]}
    numbers |= {"inner0": first["inner_loss"], "inner": kept["inner_loss"]}
    return [(REMEMBERED if first["inner_loss"] - kept["inner_loss"] < fallen / 2 else LEARNED, numbers)]


REMEMBERED = (
    "Up to epoch {epoch} the loss of train pairs goes from {loss0:.3f} to {loss:.3f}, that of left-out pairs from {inner0:.3f} "
    "to {inner:.3f}: most of what training takes off the train loss is remembered pairs, which helps no new pair."
)
LEARNED = (
    "Up to epoch {epoch} the loss of train pairs goes from {loss0:.3f} to {loss:.3f}, that of left-out pairs from {inner0:.3f} "
    "to {inner:.3f}: most of what training takes off the train loss holds for new pairs too."
)


def changed_history(saved: Path, run: Run, lang: Language = "en") -> pd.DataFrame | None:
    """The kept epoch of a saved run beside that of `run`, on inner folds of the train pairs alone.

    Args:
        saved: folder of the saved run.
        run: the one that was trained again.
        lang: of the headings.
    Returns:
        One row a run; None where `saved` is `run` itself or holds no run.
    """
    import pandas as pd

    if not (saved / "history.jsonl").is_file() or saved.resolve() == run.folder.resolve():
        return None
    rows = {}
    for name, history in (("saved run", Run(saved).history), ("this run", run.history)):
        kept = next(entry for entry in of_network(history) if entry.get("chosen"))
        keys = ("epoch", "loss", "inner_accuracy", "inner_log_rank")
        rows[label_of(name, lang)] = {label_of(key.replace("_", " "), lang): kept[key] for key in keys}
    return pd.DataFrame.from_dict(rows, orient="index")
