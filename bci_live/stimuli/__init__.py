"""Picture sets, how they are placed on a background, and their captions."""
