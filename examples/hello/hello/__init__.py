"""The smallest application: a package with a __main__.py and no dependencies."""
