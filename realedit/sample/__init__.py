"""The edit through the model: resampled or repainted, and laid over the photo."""
