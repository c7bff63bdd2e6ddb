"""What a learned score of quality is worth beside rules and perplexity, on sources that it did not learn from.

`bad` makes bad pages from good texts, with the phrases of `phrases.toml`; `sets` reads the data under the folder
`--data` and parts its sources; `training` trains as a user does; `scorers` are what is compared; `study` does it all
and `page` shows it.
"""
