"""How the embedded model is made: scenes rendered from free assets, an autoencoder, a diffusion model."""
