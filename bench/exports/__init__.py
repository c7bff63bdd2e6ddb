"""Exports of a build: how fast they are written, and what other programs find in them."""
