"""Image operations from textbooks: arrays in, arrays out; no diffusion, no objects, no files."""
