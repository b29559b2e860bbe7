"""What to annotate next: scores made in the background, strategies that use them, leases and skips."""
