"""The train-only refit: everything learned comes out the same when every held-out poster and intro is noise."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from cinealign.audit.checks import ELSEWHERE
from cinealign.audit.evidence import Evidence
from cinealign.audit.findings import Finding, failed, listed, noted, passed
from cinealign.audit.noise import noisy, noisy_catalogue
from cinealign.data.labels import train_labels
from cinealign.fitting import fit_model
from cinealign.model import AlignmentModel
from cinealign.state import State


def check_refit(evidence: Evidence) -> Finding:
    """Fits the recipe again on the data folder's train rows, with noise for everything held out.

    Vocabulary, idf, means, maps, networks, remembered pairs and fusion weights must equal those of the saved model to the
    last bit. Where the run was made on another kind of machine, sums round differently there: then D of both models is
    compared instead.
    """
    name = "train-only refit"
    catalogue = noisy_catalogue(evidence.catalogue, evidence.held_out, seed=2)
    extracts = noisy(evidence.extracts, evidence.held_out, seed=3)
    training = extracts.training_set(evidence.catalogue.train_rows, train_labels(catalogue))
    with evidence.threads():
        again = fit_model(evidence.model.recipe, training, curves=_has_curves(evidence.model))
    saved, fitted = saved_states(evidence), model_states(again)
    differing = {part: found for part in fitted if (found := different(saved[part], fitted[part]))}
    weights = [float(weight) for weight in evidence.model.weights]
    if weights != again.weights.tolist():
        differing["fusion weights"] = [f"{a:.4f} / {b:.4f}" for a, b in zip(weights, again.weights, strict=False)]
    if not differing:
        parts = f"{len(fitted)} parts and {len(weights)} fusion weights"
        return passed(
            name, f"{parts} come out bit for bit the same with every held-out poster and intro replaced by noise"
        )
    said = "; ".join(f"{part} ({listed(found, 2)})" for part, found in list(differing.items())[:4])
    more = f" and {len(differing) - 4} more" if len(differing) > 4 else ""
    if evidence.elsewhere:
        apart = _distance_apart(evidence, again)
        if apart <= ELSEWHERE:
            return noted(
                name,
                f"learned on another machine ({evidence.elsewhere}), so not bit for bit the same, but no entry of D differs "
                f"by more than {apart:.1e}. Audit there for certainty",
                differing=differing,
            )
    return failed(name, f"not what the train pairs alone give (saved / refitted): {said}{more}", differing=differing)


def _has_curves(model: AlignmentModel) -> bool:
    """Whether the run drew a validation curve; runs of earlier versions have none."""
    return any(entry.get("phase") == "validation" for expert in model.experts for entry in expert.history)


def saved_states(evidence: Evidence) -> dict[str, State]:
    """Every part's state as its file has it, not as the part reads it."""
    folder, model = evidence.run.folder / "model", evidence.model
    states = {f"view {name}": State.load(folder / f"view-{name}.safetensors") for name in model.views}
    states["distance"] = State.load(folder / "distance.safetensors")
    for i, options in enumerate(model.recipe.align):
        states[f"expert {i} ({options.expert})"] = State.load(folder / f"expert-{i}.safetensors")
    return states


def model_states(model: AlignmentModel) -> dict[str, State]:
    """Every part's state by the same names."""
    states = {f"view {name}": view.state() for name, view in model.views.items()}
    states["distance"] = model.distance.state()
    for i, (options, expert) in enumerate(zip(model.recipe.align, model.experts, strict=True)):
        states[f"expert {i} ({options.expert})"] = expert.state()
    return states


def different(saved: State, again: State) -> list[str]:
    """Names of arrays and values that are not equal to the last bit, with what is known of the difference."""
    names = sorted({*saved.arrays, *again.arrays} | {*saved.values, *again.values})
    found = []
    for name in names:
        if name in saved.values or name in again.values:
            if _plain(saved.values.get(name)) != _plain(again.values.get(name)):
                found.append(f"{name}{_sizes(saved.values.get(name), again.values.get(name))}")
            continue
        one, other = saved.arrays.get(name), again.arrays.get(name)
        if one is None or other is None:
            found.append(f"{name} + / -" if other is None else f"{name} - / +")
        elif one.shape != other.shape or one.dtype != other.dtype:
            found.append(f"{name} {one.shape} / {other.shape}")
        elif np.ascontiguousarray(one).tobytes() != np.ascontiguousarray(other).tobytes():
            with np.errstate(all="ignore"):
                apart = float(np.abs(one.astype(np.float64) - other.astype(np.float64)).max())
            found.append(f"{name} ± {apart:.1e}")
    return found


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _sizes(one: Any, other: Any) -> str:
    if isinstance(one, list) and isinstance(other, list) and len(one) != len(other):
        return f" {len(one)} / {len(other)}"
    return ""


def _distance_apart(evidence: Evidence, again: AlignmentModel) -> float:
    """Largest difference of an entry of D between the saved and the refitted model."""
    with evidence.threads():
        poster = again.encode_poster_extracts(evidence.extracts.poster)
        intro = again.encode_intro_extracts(evidence.extracts.intro)
    saved, refitted = evidence.encoded[0] @ evidence.encoded[1].T, poster @ intro.T
    return float(np.abs(saved - refitted).max())
