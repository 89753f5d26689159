"""Tables: files read into rows, and rows turned into features, in training, prediction, serving."""
