"""The version, alone in its module so that building the package imports nothing else."""

__version__ = "0.1.0"
