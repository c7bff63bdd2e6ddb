"""Shards beside Megatron's own: read by its reader, and written again by its tokenizer and its builder."""
