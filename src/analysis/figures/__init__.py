"""The report's pictures, each one panel of inline SVG, and the curves that they draw."""
