"""Train the cut-out network and the tabletop model where a GPU is lent for some minutes."""
