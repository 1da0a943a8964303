# SPDX-License-Identifier: Apache-2.0
"""``python -m lanerope convert-adapter ...``."""

import sys

from .convert_adapter import main as convert


def main() -> int:
    """The exit status."""
    if sys.argv[1:2] != ["convert-adapter"]:
        print("usage: python -m lanerope convert-adapter SOURCE TARGET [--base MODEL]", file=sys.stderr)
        return 2
    return convert(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
