"""A transformer cut in two: the lower layers are frozen and run once, in a view; the last ones are left to a tower."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from threading import Lock
from typing import Any, cast

import torch
from torch import Tensor, nn

from cinealign.errors import ModelError

_BEFORE_LAYERS = ("pre_layrnorm",)
"""Modules of a network between its embeddings and its first layer, which the states have been through (CLIP's spelling)."""


class _Reached(Exception):  # noqa: N818 - no error: the layers above need not run
    """The states before the cut."""

    def __init__(self, states: Tensor) -> None:
        super().__init__()
        self.states = states


_HANDED: ContextVar[Tensor | None] = ContextVar("states handed to an upper half", default=None)
"""By the forward pass of this thread; nothing of a pass is kept on the network, which other threads use too."""
_STOP_AT: ContextVar[nn.Module | None] = ContextVar("layer that this pass ends before", default=None)
_HOOKING = Lock()


class _Given(nn.Module):
    """Stands in the place of embeddings and gives the states that were handed over."""

    def forward(self, *args: Any, **kwargs: Any) -> Tensor:
        states = _HANDED.get()
        assert states is not None, "UpperHalf hands them over first"
        return states


def _stop(layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Ends a pass that was to end before `layer`; stays on the layer and lets all other passes through."""
    if _STOP_AT.get() is layer:
        raise _Reached(cast(Tensor, args[0] if args else kwargs["hidden_states"]))


def layer_stack(network: nn.Module, name: str) -> nn.ModuleList:
    """The layers of a transformer, in order.

    Args:
        network: any encoder of transformers.
        name: of the model, for the message.
    Raises:
        ModelError: it has no list of layers, or layers that share weights.
    """
    count = getattr(getattr(network, "config", None), "num_hidden_layers", None)
    for module in network.modules():
        if isinstance(module, nn.ModuleList) and len(module) == count and len({type(layer) for layer in module}) == 1:
            return module
    raise ModelError(
        f"{name} is a {type(network).__name__} without a plain stack of layers; only its head can be trained"
    )


def check_layers(network: nn.Module, layers: int, name: str) -> None:
    """Raises ModelError where there are fewer than `layers` layers to be left to a tower."""
    if layers > (found := len(layer_stack(network, name))):
        raise ModelError(
            f"{name} has {found} layers, and layers: {layers} of them are to be trained; give {found} at most"
        )


def lower_states(network: nn.Module, layers: int, name: str, **inputs: Any) -> Tensor:
    """(B, L, H) states that enter the last `layers` layers; these do not run.

    Args:
        network: an encoder of transformers, in eval mode.
        layers: how many last layers are left out, at least 1.
        name: of the model, for messages.
        inputs: what its forward takes.
    """

    first = layer_stack(network, name)[-layers]
    with _HOOKING:
        if _stop not in first._forward_pre_hooks.values():
            first.register_forward_pre_hook(_stop, with_kwargs=True)
    before = _STOP_AT.set(first)
    try:
        network(**inputs)
    except _Reached as found:
        return found.states
    finally:
        _STOP_AT.reset(before)
    raise AssertionError("a forward pass comes through every layer")


class UpperHalf(nn.Module):
    """The last layers of an encoder with what comes after them; all but the layers is frozen."""

    def __init__(self, network: nn.Module, layers: int, name: str) -> None:
        """Args:
        network: an encoder of transformers; it is changed, and of no other use afterwards.
        layers: last layers that are kept, at least 1.
        name: of the model, for messages.
        """
        super().__init__()
        stack = layer_stack(network, name)
        del stack[: len(stack) - layers]
        if not hasattr(network, "embeddings"):
            raise ModelError(f"{name} is a {type(network).__name__} without embeddings; only its head can be trained")
        cast(Any, network).embeddings = _Given()
        for between in _BEFORE_LAYERS:
            if hasattr(network, between):
                setattr(network, between, nn.Identity())
        if getattr(network, "pooler", None) is not None:
            cast(Any, network).pooler = None  # of a pretraining task; sentence encoders pool by themselves
        for weight in network.parameters():
            weight.requires_grad = False
        for weight in stack.parameters():
            weight.requires_grad = True
        self.network = network
        self.layers = stack

    def forward(self, states: Tensor, **inputs: Any) -> Any:
        """What the whole network gives of items whose `lower_states` are `states`; `inputs` as its forward takes them."""
        before = _HANDED.set(states)
        try:
            return self.network(**inputs)
        finally:
            _HANDED.reset(before)


def check_cut(
    network: nn.Module,
    layers: int,
    name: str,
    inputs: Mapping[str, Any],
    upper_inputs: Callable[[Tensor], Mapping[str, Any]],
    output: str,
) -> None:
    """Raises ModelError where the two halves one after the other do not give what the whole network gives.

    Networks differ in what lies between embeddings, layers and output; better refused than trained from a wrong start.

    Args:
        network: the whole one, in eval mode; it stays as it is.
        layers: of the upper half.
        name: of the model, for the message.
        inputs: what the whole takes.
        upper_inputs: states -> what the upper half takes beside them.
        output: name of the output to compare; where `inputs` has a mask of tokens and it has tokens, only at those.
    """
    with torch.inference_mode():
        whole = network(**inputs)[output]
        states = lower_states(network, layers, name, **inputs)
        found = UpperHalf(copy.deepcopy(network), layers, name)(states, **upper_inputs(states))[output]
        if whole.ndim == 3 and "attention_mask" in inputs:
            inside = inputs["attention_mask"].bool()
            whole, found = whole[inside], found[inside]
        if not torch.allclose(whole, found, rtol=1e-3, atol=1e-3 * float(whole.abs().max())):
            raise ModelError(
                f"{name} is a {type(network).__name__}, which cannot be cut in two between its layers; only a head on its "
                "frozen features can be trained"
            )
