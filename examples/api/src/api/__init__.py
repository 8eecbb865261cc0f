"""Quotations over HTTP: a package with a command, data of its own and a database in memory."""

from importlib.metadata import version

__version__ = version("api")
