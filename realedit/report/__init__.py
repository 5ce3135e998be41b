"""A page and a panel about an edit, made of pictures and tables."""
