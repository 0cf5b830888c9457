"""Everything that a report may speak of, as facts: a run's JSON, its analysis, comparisons and a ladder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cinealign.analysis.analyse import NUMBERS, Analysis
from cinealign.analysis.skipped import Skipped
from cinealign.errors import ConfigError, DataError
from cinealign.figures import Language
from cinealign.report.facts import Fact
from cinealign.report.ladder import read_ladder_file
from cinealign.report.training_story import has_network, network_numbers
from cinealign.run import Run


@dataclass(frozen=True)
class Sources:
    """What is known of a run.

    Attributes:
        metrics, catalogue, recipe, fusion, environment: files of the run directory; `fusion` has the experts' weights.
        analysed: the run's analysis.
        comparisons: comparison.json of each folder that was given.
        ladder: the steps from the simplest method to this one, None where not given.
        network: numbers of trained and frozen parameters of the run's network and the epochs; None where it has none.
    """

    metrics: Fact
    catalogue: Fact
    recipe: Fact
    fusion: Fact
    environment: Fact
    analysed: Analysis
    comparisons: tuple[Fact, ...] = ()
    ladder: Fact | None = None
    network: Fact | None = None

    @classmethod
    def gather(
        cls, run: Run, analysis: Path, *, comparisons: Sequence[Path] = (), ladder: Path | None = None
    ) -> Sources:
        """Read it all.

        Args:
            run: a finished run.
            analysis: the folder of its analysis.
            comparisons: folders of `cinealign compare`.
            ladder: a file of `report.ladder`.
        Raises:
            DataError: a file is missing or damaged, or the analysis is of another run.
            ConfigError: a comparison is of other data.
        """
        found = cls(
            metrics=Fact(run.metrics, "metrics.json"),
            catalogue=Fact(run.catalogue, "catalogue.json"),
            recipe=Fact(yaml.safe_load((run.folder / "recipe.yaml").read_text(encoding="utf-8")), "recipe.yaml"),
            fusion=_read(run.folder / "model" / "fusion.json", "model/fusion.json"),
            environment=_read(run.folder / "environment.json", "environment.json"),
            analysed=Analysis.load(analysis),
            comparisons=tuple(
                _read(folder / "comparison.json", f"comparison-{at}.json") for at, folder in enumerate(comparisons)
            ),
            ladder=None if ladder is None else Fact(read_ladder_file(ladder), "ladder.csv"),
            network=Fact(network_numbers(run), "model/network") if has_network(run.recipe) else None,
        )
        if not found.analysed.numbers.run.is_of(run):
            raise DataError(f"{analysis} is an analysis of another run than {run.folder}; analyse the run again")
        for fact, folder in zip(found.comparisons, comparisons, strict=True):
            if fact["data"]["digest"].value != run.catalogue["digest"]:
                raise ConfigError(f"{folder} compares recipes on other data than {run.folder}; compare on its data")
        return found

    @property
    def analysis(self) -> Fact:
        """analysis.json."""
        return Fact(self.analysed.numbers, NUMBERS)

    @property
    def noun(self) -> str:
        """What one thing of the data is called."""
        report: dict[str, Any] = self.catalogue["report"].value
        return str(report.get("noun", "movie"))

    @property
    def assignment(self) -> bool:
        """Whether the data are laid out as the assignment's, so that there is a course score."""
        report: dict[str, Any] = self.catalogue["report"].value
        return bool(report.get("assignment", True))

    def figure(self, name: str, lang: Language) -> Path | None:
        """The vector picture of that name in the analysis, with labels in `lang` if it has them (see `speaks`).

        None where that part was skipped.
        """
        figure = self.analysed.numbers.figures.get(name)
        if figure is None:
            return None
        other = figure.zh if lang == "zh" else None
        return self.analysed.folder / (figure.pdf if other is None else other.pdf)

    def speaks(self, lang: Language) -> bool:
        """Whether the figures of the analysis have labels in `lang`; all have English ones."""
        return lang == "en" or all(figure.zh is not None for figure in self.analysed.numbers.figures.values())

    def explained(self) -> list[Fact]:
        """What the analysis says of single movies, one fact each."""
        listed = self.analysed.numbers.explained
        return [Fact(found, entry.json) for entry, found in zip(listed, self.analysed.explained(), strict=True)]


def skipped(fact: Fact) -> bool:
    """Whether the analysis could not make this part."""
    return isinstance(fact.value, Skipped)


def _read(file: Path, place: str) -> Fact:
    try:
        return Fact(json.loads(file.read_text(encoding="utf-8")), place)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no JSON"
        raise DataError(f"{file} cannot be read: {reason}; make it again") from None
