"""The study over data sets: each loss against cross-entropy on many tables, and over them all."""
