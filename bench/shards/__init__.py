"""Writing token shards of generated documents: speed in bytes of tokens, and memory at any number of documents."""
