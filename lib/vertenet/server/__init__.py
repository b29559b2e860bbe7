"""The MONAI Label server and its app: they translate between HTTP and `vertenet`, and compute nothing clinical."""
