"""A simulated annotator who works through the REST API, and the experiment on what it is given to annotate."""
