"""A photo under a model: its trajectory, what the model saw along it, and both kept on disk."""
