"""The errors that are minicnn's own; everything else raises Python's ValueError, TypeError, …"""


class DataFileError(ValueError):
    """A data file is not what it claims to be: the message names the file, found and wanted."""


class ModelFileError(ValueError):
    """A model file is not what it claims to be: the message names the file, found and wanted."""
