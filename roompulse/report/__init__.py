"""One page of a session for people: the files of a run as HTML with charts, in one file.

`files` reads a folder, `page` puts the sections together, each from a module of its own (`boards`,
`alerts`, `curves`, `stay`, `after_sales`, `loyalty`, `further`). `markup` writes HTML, `tables`
figures that lead to their definitions, `words` and `labels` hold both languages. Equal files give
equal bytes.
"""
