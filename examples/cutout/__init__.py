"""How the cut-out network is made: data, training, evaluation. See README.md."""
