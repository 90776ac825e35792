# the notebooks here run when imported: pytest's search for doctests must not
collect_ignore_glob = ["*.py"]
