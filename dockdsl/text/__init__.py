"""From values to text and back, and whether two texts mean the same."""
