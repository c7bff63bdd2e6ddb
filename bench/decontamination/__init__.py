"""Decontamination on planted items: what is found of copies of every kind, and what is taken from text without them."""
