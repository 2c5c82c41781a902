"""A terminal workbench for Japanese handwritten character recognition."""

__version__ = "0.2.0"
