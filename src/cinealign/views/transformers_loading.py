"""Loading with transformers: quietly, without a change of the global random state, and with one line where it fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from cinealign.errors import ModelError
from cinealign.views.torchvision_import import allow_torchvision

LONGEST_REASON = 200
"""Letters of the library's own message that are passed on."""


@contextmanager
def quiet_loading(model: str) -> Iterator[None]:
    """Inside, models load quietly; a cached and a fresh run draw the same random numbers afterwards.

    Args:
        model: its folder or hub id, for the message.
    Raises:
        ModelError: the library cannot make a model of its files.
    """
    import torch
    from safetensors import SafetensorError

    allow_torchvision()
    from transformers.utils import logging

    shown, verbosity = logging.is_progress_bar_enabled(), logging.get_verbosity()
    with torch.random.fork_rng(devices=[]):
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        try:
            yield
        except (
            *(OSError, ValueError, LookupError, RuntimeError, TypeError, ImportError, SafetensorError),
            *(AttributeError, ArithmeticError, AssertionError),  # of a value in config.json that no check has refused
        ) as error:
            reason = " ".join(str(error).split())
            if len(reason) > LONGEST_REASON:
                reason = f"{reason[:LONGEST_REASON].rstrip()} ..."
            raise ModelError(
                f"weights {model!r} cannot be loaded ({type(error).__name__}: {reason}); "
                "give a folder with all files of a model of the kind that the view reads"
            ) from None
        finally:
            logging.set_verbosity(verbosity)
            if shown:
                logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def load_model(model: str, folder: Path) -> tuple[Any, list[str]]:
    """A network, for use only, and the names of weights that its files lack, which the library has drawn at random.

    Args:
        model: its folder or hub id, for messages.
        folder: its files.
    Raises:
        ModelError: the library cannot make a model of its files.
    """
    with quiet_loading(model):
        from transformers import AutoModel

        network, report = AutoModel.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, output_loading_info=True
        )
    return network.eval(), sorted(report["missing_keys"])


def load_image_processor(model: str, folder: Path) -> Any:
    """What prepares pictures for the network; arguments and errors as for `load_model`."""
    with quiet_loading(model):
        from transformers import AutoImageProcessor

        return cast(Any, AutoImageProcessor).from_pretrained(folder, local_files_only=True, backend="pil")
