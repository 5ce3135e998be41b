"""Makes the edit in pixels (the anchor): objects at their new places with their shadows, holes filled."""
