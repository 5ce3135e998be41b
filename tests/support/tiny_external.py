"""Folders of detectors, segmenters and captioners: the real architectures, tiny, with random weights."""

from __future__ import annotations

import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers as hf

BERT_SPECIAL = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103, ".": 1012, "?": 1029}
"""Where BERT's own vocabulary has them: Grounding DINO's code knows these numbers by heart."""
WORDS = ("a", "mug", "bowl", "red", "on", "table", "photo", "of")


def clip_tokenizer(length: int) -> hf.PreTrainedTokenizerBase:
    """CLIP's tokenizer over single letters."""
    pieces = [*string.ascii_lowercase, *(letter + "</w>" for letter in string.ascii_lowercase)]
    vocabulary = {piece: k for k, piece in enumerate([*pieces, "<|startoftext|>", "<|endoftext|>"])}
    return hf.CLIPTokenizer(vocab=vocabulary, merges=[], pad_token="<|endoftext|>", model_max_length=length)


def bert_tokenizer() -> hf.PreTrainedTokenizerBase:
    """BERT's tokenizer over a few words, its special tokens where BERT has them."""
    at = {k: token for token, k in BERT_SPECIAL.items()}
    words = iter(WORDS)
    names = [at.get(k) or (next(words, f"[unused{k}]") if k > 1012 else f"[unused{k}]") for k in range(1100)]
    return hf.BertTokenizer(vocab={name: k for k, name in enumerate(names)}, do_lower_case=True)


def owl(folder: Path, version: int) -> Path:
    """OWL-ViT (version 1) or OWLv2 (version 2): 32 x 32 pixels in patches of 8."""
    prefix = "OwlViT" if version == 1 else "Owlv2"
    text = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    seen = {**text, "image_size": 32, "patch_size": 8}
    text |= {"vocab_size": 54, "max_position_embeddings": 16, "bos_token_id": 52, "eos_token_id": 53}
    config = getattr(hf, f"{prefix}Config")(text_config=text, vision_config=seen, projection_dim=16)
    size = {"height": 32, "width": 32}
    images = getattr(hf, f"{prefix}ImageProcessor")(size=size, crop_size=size if version == 1 else None)
    return saved(
        folder, f"{prefix}ForObjectDetection", config, f"{prefix}Processor", images, clip_tokenizer(16)
    )


def grounding_dino(folder: Path, prefix: str = "") -> Path:
    """Grounding DINO, or MM-Grounding-DINO, with 5 queries, on a Swin and a BERT of one layer."""
    taken: dict[str, Any] = {"out_indices": [2, 3, 4]}  # a keyword that its signature does not name
    backbone = hf.SwinConfig(
        image_size=32,
        embed_dim=8,
        depths=[1, 1, 1, 1],
        num_heads=[1, 1, 1, 1],
        window_size=2,
        **taken,
    )
    text = hf.BertConfig(
        vocab_size=1100, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    config = getattr(hf, f"{prefix}GroundingDinoConfig")(
        backbone_config=backbone,
        text_config=text,
        num_queries=5,
        d_model=32,
        encoder_layers=1,
        decoder_layers=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        disable_custom_kernels=True,
    )
    images = hf.GroundingDinoImageProcessor(size={"shortest_edge": 64, "longest_edge": 96})
    return saved(
        folder,
        f"{prefix}GroundingDinoForObjectDetection",
        config,
        "GroundingDinoProcessor",
        images,
        bert_tokenizer(),
    )


def clipseg(folder: Path) -> Path:
    """CLIPSeg: 32 x 32 pixels in patches of 8."""
    text = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    seen = {**text, "num_hidden_layers": 3, "image_size": 32, "patch_size": 8}
    text |= {"vocab_size": 54, "max_position_embeddings": 77, "bos_token_id": 52, "eos_token_id": 53}
    config = hf.CLIPSegConfig(
        text_config=text,
        vision_config=seen,
        projection_dim=16,
        extract_layers=[0, 1, 2],
        reduce_dim=8,
        decoder_num_attention_heads=2,
        decoder_intermediate_size=16,
    )
    images = hf.ViTImageProcessor(size={"height": 32, "width": 32})
    return saved(
        folder, "CLIPSegForImageSegmentation", config, "CLIPSegProcessor", images, clip_tokenizer(77)
    )


def sam(folder: Path, hq: bool = False) -> Path:
    """SAM, or HQ-SAM: 64 x 64 pixels in patches of 16."""
    prefix = "SamHQ" if hq else "Sam"
    seen = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    seen |= {"image_size": 64, "patch_size": 16, "output_channels": 16, "window_size": 2, "num_pos_feats": 8}
    seen |= {"global_attn_indexes": [1], "mlp_dim": 32}
    prompt = {"hidden_size": 16, "image_size": 64, "patch_size": 16, "mask_input_channels": 4}
    mask = {"hidden_size": 16, "mlp_dim": 16, "num_attention_heads": 2, "iou_head_hidden_dim": 16}
    if hq:
        mask |= {"vit_dim": 32}
    config = getattr(hf, f"{prefix}Config")(
        vision_config=seen, prompt_encoder_config=prompt, mask_decoder_config=mask
    )
    images = hf.SamImageProcessor(
        size={"longest_edge": 64},
        pad_size={"height": 64, "width": 64},
        mask_size={"longest_edge": 16},
        mask_pad_size={"height": 16, "width": 16},
    )
    return saved(folder, f"{prefix}Model", config, f"{prefix}Processor", images)


def sam2(folder: Path) -> Path:
    """SAM 2: 64 x 64 pixels."""
    backbone = {
        "model_type": "sam2_hiera_det_model",
        "image_size": [64, 64],
        "hidden_size": 8,
        "embed_dim_per_stage": [8, 16, 32, 64],
        "blocks_per_stage": [1, 1, 1, 1],
        "num_attention_heads_per_stage": [1, 1, 1, 1],
        "window_size_per_stage": [2, 2, 2, 2],
        "global_attention_blocks": [],
        "window_positional_embedding_background_size": [2, 2],
    }
    seen = {
        "backbone_config": backbone,
        "backbone_channel_list": [64, 32, 16, 8],
        "fpn_hidden_size": 16,
        "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]],
    }
    prompt = {"hidden_size": 16, "image_size": 64, "patch_size": 16, "mask_input_channels": 4}
    mask = {"hidden_size": 16, "mlp_dim": 16, "num_attention_heads": 2, "iou_head_hidden_dim": 16}
    config = hf.Sam2Config(vision_config=seen, prompt_encoder_config=prompt, mask_decoder_config=mask)
    images = hf.Sam2ImageProcessor(size={"height": 64, "width": 64}, mask_size={"height": 16, "width": 16})
    return saved(folder, "Sam2Model", config, "Sam2Processor", images)


def blip(folder: Path) -> Path:
    """BLIP: 32 x 32 pixels in patches of 8."""
    layers = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {**layers, "vocab_size": 1100, "encoder_hidden_size": 16, "bos_token_id": 101, "sep_token_id": 102}
    seen = {**layers, "image_size": 32, "patch_size": 8}
    config = hf.BlipConfig(text_config=text, vision_config=seen, projection_dim=16, image_text_hidden_size=16)
    images = hf.BlipImageProcessor(size={"height": 32, "width": 32})
    return saved(folder, "BlipForConditionalGeneration", config, "BlipProcessor", images, bert_tokenizer())


def florence2(folder: Path) -> Path:
    """Florence-2: 64 x 64 pixels, its BART of one layer over bytes."""
    letters = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *sorted(bytes_of_bart())]
    tokens: Any = hf.BartTokenizer(
        vocab={piece: k for k, piece in enumerate(letters)},
        merges=[],
        extra_special_tokens={"image_token": "<image>"},
    )
    text = hf.BartConfig(
        vocab_size=len(tokens),
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        max_position_embeddings=256,
    )
    seen = {
        "depths": [1, 1, 1, 1],
        "embed_dim": [8, 16, 16, 16],
        "num_heads": [1, 1, 1, 1],
        "num_groups": [1, 1, 1, 1],
        "window_size": 4,
        "projection_dim": 16,
    }
    config = hf.Florence2Config(text_config=text, vision_config=seen, image_token_id=tokens.image_token_id)
    images: Any = hf.CLIPImageProcessor(
        size={"height": 64, "width": 64}, do_center_crop=False, crop_size=None
    )
    images.image_seq_length = 5
    return saved(folder, "Florence2ForConditionalGeneration", config, "Florence2Processor", images, tokens)


def bytes_of_bart() -> list[str]:
    """The 256 characters that byte-level BPE writes bytes as (Radford et al. 2019)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return [chr(b) for b in printable] + [chr(256 + k) for k in range(256 - len(printable))]


BUILD: dict[str, Callable[[Path], Path]] = {
    "owlvit": lambda folder: owl(folder, 1),
    "owlv2": lambda folder: owl(folder, 2),
    "grounding-dino": grounding_dino,
    "mm-grounding-dino": lambda folder: grounding_dino(folder, "MM"),
    "clipseg": clipseg,
    "sam": sam,
    "sam_hq": lambda folder: sam(folder, hq=True),
    "sam2": sam2,
    "blip": blip,
    "florence2": florence2,
}


def saved(folder: Path, model: str, config: hf.PreTrainedConfig, processor: str, *parts: object) -> Path:
    """Write a model with random weights, and its processor, where `save_pretrained` would."""
    torch.manual_seed(0)
    getattr(hf, model)(config).save_pretrained(folder)
    getattr(hf, processor)(*parts).save_pretrained(folder)
    return folder
