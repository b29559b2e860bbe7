"""The checks of `check_extension.py`: what the Extensions Index asks, and what this project asks of itself.

A check is a function of an `Extension` that yields a sentence for every fault.
"""
