"""Experiments: cross-validation, ablation, evaluation and comparison; stands above every other room."""
