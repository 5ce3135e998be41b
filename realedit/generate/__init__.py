"""Self-guidance for generated pictures, which share nothing with photos but the model."""
