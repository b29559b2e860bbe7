"""The MONAI Label app: translates between MONAI Label and `vertenet`, and computes nothing clinical.

The package is not called ``lib``: MONAI Label unloads a package of that name when it loads an app.
"""
