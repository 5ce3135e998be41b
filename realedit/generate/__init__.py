"""Self-guidance for generated pictures, which share nothing with photos but the model.

:class:`~realedit.generate.self_guidance_pipeline.SelfGuidanceStableDiffusionXLPipeline` is diffusers' SDXL
pipeline with energies; its module shows how an object of a generated picture is moved.

:class:`~realedit.generate.clip_guidance.ClipEmbedder` and
:func:`~realedit.generate.clip_guidance.picture_decoder` let a CLIP model of transformers take part: the
energy :class:`guidance.Clip` pulls the picture towards a text (or another picture). It reads the predicted
clean latent, so that each of its steps takes a whole forward pass of the UNet and of the VAE's decoder::

    from transformers import CLIPModel, CLIPProcessor

    from guidance import Clip, Term, Window
    from realedit import SelfGuidanceStableDiffusionXLPipeline
    from realedit.generate import ClipEmbedder, picture_decoder
    from realedit.models.backbone import Backbone

    pipe = SelfGuidanceStableDiffusionXLPipeline.from_pretrained(folder)
    name = "openai/clip-vit-large-patch14"
    embedder = ClipEmbedder(CLIPModel.from_pretrained(name), CLIPProcessor.from_pretrained(name))
    energy = Clip(picture_decoder(Backbone(pipe)), embedder.pictures, embedder.text("a bowl of cherries"))
    picture = pipe("a bowl on a table", terms=[Term(energy, window=Window(0.2, 0.9))]).images[0]

CLIP's weights are no part of realedit; ``name`` may be a folder.
"""

from realedit.generate.clip_guidance import ClipEmbedder, picture_decoder

__all__ = ["ClipEmbedder", "picture_decoder"]
