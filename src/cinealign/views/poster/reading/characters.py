"""Which character a column of a line shows, out of all that the recognition network knows.

The network ends in a product with 18,710 classes, nearly all of them Chinese: with what comes after it, about a third of the
time of reading in bfloat16. Here it is cut in two. Every column is compared with the few hundred usual classes: Latin
letters, digits, marks. All classes are computed only for a column that none of these fits well and for one in which a
character begins, as the confidence needs them. What comes out is what the whole network says of every column.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign.views.poster.reading.network import Network

FITS = 15.0
"""Logit from which the best usual class is the best of all: one column in seven stays below it. Among 42,000 columns of train
posters and of drawn Chinese, Japanese, Korean, Greek and Russian lines no other class beat a usual one with a logit of 13."""
_ROWS = 32
"""Columns go to the last layer in multiples of it: few shapes to compile, and one way of computing for all of them."""
_USUAL = (range(0x250), range(0x2000, 0x2070), range(0x25A0, 0x2600), range(0x3000, 0x3040), range(0xFF00, 0xFFF0))
"""Latin letters, digits and marks, those of Chinese among them."""
_STROKES = "一二三丨丶・ー"
"""Characters that look like dashes, dots or bars, of which a column may show a piece."""


def usual_classes(characters: Sequence[str]) -> NDArray[np.int64]:
    """(K,) class 0, which is nothing, and those of Latin letters, digits and marks; class i + 1 is `characters[i]`."""
    usual = [
        at + 1
        for at, character in enumerate(characters)
        if character in _STROKES or all(any(ord(sign) in signs for signs in _USUAL) for sign in character)
    ]
    return np.array([0, *usual], dtype=np.int64)


def starts_of(classes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(B, T) whether a character begins in a column of `classes` (B, T): 0 is nothing, and a run of one class is one."""
    first = np.ones((len(classes), 1), dtype=bool)
    changed = np.concatenate([first, classes[:, 1:] != classes[:, :-1]], axis=1)
    starts: NDArray[np.bool_] = changed & (classes != 0)
    return starts


def most_likely(
    seen: NDArray[np.float32], usual: NDArray[np.int64], last_layer: Network
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The class of every column, and its probability where a character begins (0 elsewhere).

    Args:
        seen: (B, T, K + H), the logits of the `usual` classes and what enters the last layer.
        usual: (K,) classes.
        last_layer: (N, H) -> (N, C) logits of all classes.
    """
    few, states = seen[..., : len(usual)], seen[..., len(usual) :]
    classes: NDArray[np.int64] = usual[few.argmax(axis=2)]
    probabilities, known = np.zeros(classes.shape), np.zeros(classes.shape, dtype=bool)
    wanted = (few.max(axis=2) < FITS) | starts_of(classes)
    while (wanted := wanted & ~known).any():
        classes[wanted], probabilities[wanted] = _of_all(states[wanted], last_layer)
        known |= wanted
        wanted = starts_of(classes)
    return classes, np.where(starts_of(classes), probabilities, 0.0)


def _of_all(states: NDArray[np.float32], last_layer: Network) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The most likely of all classes for `states` (N, H), and its probability, (N,) each."""
    count = len(states)
    padded = np.concatenate([states, np.zeros((-count % _ROWS, states.shape[1]), np.float32)])

    def best(logits: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        classes = logits[:count].argmax(axis=1)
        below = logits[:count] - logits[:count].max(axis=1, keepdims=True)
        return classes, 1 / np.exp(below, out=below).sum(axis=1)

    return last_layer(padded, best)


def up_to_last_layer(model: Any, usual: NDArray[np.int64]) -> Any:
    """The recognition network with (B, T, K + H) as its output: logits of the `usual` classes, then what enters its last layer.

    The latter comes through the product as well, times the identity: as an output of its own it would keep OpenVINO from
    computing the layers before it in bfloat16, as it does those of the whole network.
    """
    from openvino import Model
    from openvino import opset13 as operation

    states, weights, bias = _last_layer(model)
    weights = np.concatenate([weights[:, usual], np.eye(len(weights), dtype=np.float32)], axis=1)
    bias = np.concatenate([bias[usual], np.zeros(len(weights), dtype=np.float32)])
    seen = operation.add(operation.matmul(states, operation.constant(weights), False, False), operation.constant(bias))
    return Model([seen.output(0)], model.get_parameters())


def only_last_layer(model: Any) -> Any:
    """The last layer of the recognition network alone: (N, H) -> (N, C) logits."""
    from openvino import Model
    from openvino import opset13 as operation

    _, weights, bias = _last_layer(model)
    states = operation.parameter([-1, len(weights)], np.float32, name="states")
    logits = operation.add(
        operation.matmul(states, operation.constant(weights), False, False), operation.constant(bias)
    )
    return Model([logits.output(0)], [states])


def _last_layer(model: Any) -> tuple[Any, NDArray[np.float32], NDArray[np.float32]]:
    """What enters the last layer of a network that ends in Softmax(states @ weights + bias); weights (H, C), bias (C,)."""
    softmax = _before(model.outputs[0].get_node())
    addition = _before(softmax)
    product = _before(addition)
    kinds = [node.get_type_name() for node in (softmax, addition, product)]
    assert kinds == ["Softmax", "Add", "MatMul"], kinds
    assert not product.get_attributes()["transpose_b"], product
    weights, bias = (np.array(node.input_value(1).get_node().get_data()) for node in (product, addition))
    return product.input_value(0), weights, bias.reshape(-1)


def _before(node: Any) -> Any:
    """What gives the first input of `node`, through nodes that change nothing."""
    found = node.input_value(0).get_node()
    return _before(found) if found.get_type_name() == "Identity" else found
