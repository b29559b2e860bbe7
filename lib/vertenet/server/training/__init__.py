"""Retraining on the labels of the store: the round, the gate that its model must pass, and the served versions."""
