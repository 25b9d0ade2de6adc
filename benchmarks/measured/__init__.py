"""One function a benchmark: which sides take turns at what, and what is made of their answers."""
