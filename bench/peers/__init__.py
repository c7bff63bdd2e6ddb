"""The peers' side of each work: `prepare(given)` returns what is timed. Runs in the environment of `peers.sh`, so
nothing of this project but `bench.given` and `bench.inputs` is imported here."""
