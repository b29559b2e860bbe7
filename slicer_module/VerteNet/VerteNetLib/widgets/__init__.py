"""The panels: one thin class each on a ``.ui`` file, the session and the stage. They decide nothing clinical."""
