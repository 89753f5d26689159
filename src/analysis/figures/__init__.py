"""The report's pictures, each one panel of inline SVG."""
