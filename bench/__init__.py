"""This project beside public peers: the same work, the same input, the same run, one core each. See README.md."""
