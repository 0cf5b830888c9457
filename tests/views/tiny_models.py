"""Models of transformers' own classes, small enough to be made on the spot; the code that loads them is the real one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

WORDS = ["a", "shark", "eats", "the", "town", "people", "run", "bank", "heist", "love", ".", "!", "x"]


def save_tokenizer(folder: Path, kind: str) -> int:
    """A tokenizer of whole words in `folder`; returns the size of its vocabulary."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    begin, end = ("<|startoftext|>", "<|endoftext|>") if kind == "clip" else ("[CLS]", "[SEP]")
    vocabulary = {word: i for i, word in enumerate(["[PAD]", "[UNK]", begin, *WORDS, end])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A {end}", special_tokens=[(begin, vocabulary[begin]), (end, vocabulary[end])]
    )
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]")
    fast.save_pretrained(folder)
    return len(vocabulary)


def save_clip(folder: Path, kind: str = "clip", layers: int = 1) -> Path:
    """A CLIP or SigLIP model that reads 12 word pieces and sees 32 x 32 pixels; vectors of 8 numbers."""
    import transformers as t

    torch.manual_seed(0)
    folder.mkdir(parents=True)
    size = save_tokenizer(folder, "clip")
    small: dict[str, Any] = {
        "hidden_size": 8,
        "intermediate_size": 8,
        "num_hidden_layers": layers,
        "num_attention_heads": 2,
    }
    text = {**small, "vocab_size": size, "max_position_embeddings": 12, "bos_token_id": 2, "eos_token_id": size - 1}
    vision = {**small, "image_size": 32, "patch_size": 16}
    pixels = {"height": 32, "width": 32}
    if kind == "clip":
        t.CLIPModel(t.CLIPConfig(text_config=text, vision_config=vision, projection_dim=8)).save_pretrained(folder)
        t.CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=pixels).save_pretrained(folder)
    else:
        t.SiglipModel(t.SiglipConfig(text_config=text, vision_config=vision)).save_pretrained(folder)
        t.SiglipImageProcessorPil(size=pixels).save_pretrained(folder)
    return folder


def save_vision(folder: Path, kind: str) -> Path:
    """A ResNet, ViT, DINOv2 or ConvNeXt that sees 32 x 32 pixels."""
    import transformers as t

    torch.manual_seed(0)
    small: dict[str, Any] = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 32}
    makers: dict[str, Any] = {
        "resnet": lambda: t.ResNetModel(
            t.ResNetConfig(embedding_size=8, hidden_sizes=[8, 12], depths=[1, 1], layer_type="basic")
        ),
        "vit": lambda: t.ViTModel(
            t.ViTConfig(**small, intermediate_size=8, patch_size=16), add_pooling_layer=False
        ),  # as many checkpoints on the hub: without a trained pooling layer
        "dinov2": lambda: t.Dinov2Model(t.Dinov2Config(**small, patch_size=16)),
        "convnext": lambda: t.ConvNextModel(t.ConvNextConfig(hidden_sizes=[8, 12], depths=[1, 1], num_stages=2)),
    }
    makers[kind]().save_pretrained(folder)
    t.ViTImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def save_bert(folder: Path, layers: int = 1) -> Path:
    """A BERT that reads 16 word pieces; no pooling of sentence-transformers is beside it."""
    import transformers as t

    torch.manual_seed(0)
    size = save_tokenizer(folder, "bert")
    config = t.BertConfig(
        vocab_size=size,
        hidden_size=8,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=8,
        max_position_embeddings=16,
    )
    t.BertModel(config).save_pretrained(folder)
    return folder
