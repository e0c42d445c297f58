"""The rows of the comparison, each a module: it gives its lines."""
