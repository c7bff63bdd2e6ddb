"""A corpus is compiled: every stage writes one table about the rows it saw, and nothing is lost quietly."""
