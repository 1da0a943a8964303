# SPDX-License-Identifier: Apache-2.0
"""What lanerope raises. Each is of one of Python's kinds as well, and says in one sentence what is wrong and what to do."""


class Error(Exception):
    """Everything that lanerope raises, but for a TypeError where an argument is of another type."""


class InvalidRequest(Error, ValueError):
    """What was asked for makes no sense: an unknown coupling, no lanes, a prompt longer than the context, a closed model."""


class ModelError(Error, RuntimeError):
    """A file is damaged, or of a kind that lanerope does not read."""


class DoesNotFit(Error, MemoryError):
    """The request makes sense and does not fit into the KV cells or the memory."""


class DeviceError(Error, OSError):
    """The operating system, the network or a back end refused."""
