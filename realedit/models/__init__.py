"""Which model, its files, loading it, and the loaded networks as the project sees them."""
