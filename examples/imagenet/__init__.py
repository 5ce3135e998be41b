"""How realedit's names are made and measured: ImageNet's classes read place by place."""
