"""Where the jobs of a sweep run, and how a sweep that searches picks them."""
