"""The edit in pixels (the anchor): objects at their new places with their shadows, their holes filled."""
