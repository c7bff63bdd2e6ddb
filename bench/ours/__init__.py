"""Our side of each work: `prepare(given)` returns what is timed. Runs in this project's environment."""
