"""Quality of dedup on planted truth: real documents, copies made of them in known ways, and pages that are no copies.

The truth is made before any system runs, and by none of them (`truth.py`):

- A **family** is one document and the copies made of it. Two documents of a family are a duplicate pair when the exact
  Jaccard similarity of their shingle sets is 0.8 or more; below that the pair is free: finding it is neither right nor
  wrong.
- Documents of different families are different documents, whatever their similarity. So are pages of one template,
  forms filled in differently, short documents and unrelated documents: none of them may be removed.

`plant.py` writes the planted set in the peers' environment (it needs OpenCC), `ours.py` and `bench/peers/*_dedup.py`
say of every document whether it was kept and which cluster it is in, `score.py` compares, `page.py` shows.
"""
