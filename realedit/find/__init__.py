"""From a word, a mask, a box or a point to the object in a photo."""
