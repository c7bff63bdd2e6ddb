"""What commands print."""

from corpus.screen import told


def test_counts_of_an_exchange_read_as_a_sentence() -> None:
    counts = {"apart": 0, "clusters": 356, "copies": 1217, "dropped": 383, "largest_cluster": 4, "near_pairs": 209}
    assert told(counts) == "383 dropped; 1,217 copies, 356 clusters, 209 near pairs, largest cluster 4"
    assert told({"dropped": 0, "urls": 0}) == "0 dropped"
    assert told({"repeated_lines": 7, "largest_lines": 3}) == "7 repeated lines, largest lines 3"
    assert told({}) == "nothing to count"
