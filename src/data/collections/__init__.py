"""Tables of public collections, by their names."""
