"""The commands of `corpus`, by what they are for. `corpus/cli.py` puts them together; here stages are known by name."""
