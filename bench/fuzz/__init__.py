"""Hostile input: real pages and archives, damaged in thousands of ways, through every stage that reads them.

A case is a number: with the seed it says which pages of the data are taken and what is done to them (`pages.py`,
`archives.py`), so any case can be made again. Cases run in child processes (`trial.py`) with a bound on their address
space, and a watchdog that counts the child's own processor time (`watch.py`): a machine that is busy makes no hang.

What a case must not do: kill its process, take more than the seconds given, raise, break a declared type, depend on
the other rows of its batch, or lose a record. A page is kept or has a reason why there is no text of it; of an
archive, spans of records and skipped bytes add up to the decoded bytes, and stored bytes to those framed and lost.
"""
