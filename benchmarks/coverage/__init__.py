"""How often the interval of a comparison holds the truth: measured where the truth is known."""
