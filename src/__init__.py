"""Imbalance Lab: does focal loss help on imbalanced data, by how much, and how sure is that?"""
