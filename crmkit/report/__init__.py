"""Reports an analyst runs on the firm's own data: one command, one page, the numbers behind it as files.

``notebook`` runs a parameterised notebook, ``page`` turns it into one self-contained HTML page, ``export`` writes
CSV and Excel, ``pseudonyms`` takes the customer ids out, and each report (``rfm``) is a module with a ``run``.
"""
