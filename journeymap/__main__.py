"""`python -m journeymap`: the same as `journeymap`, from a bare checkout too."""

from __future__ import annotations

import sys


def start() -> int:
    """Run the command line; where its packages are not installed, one line says how to get them."""
    try:
        from journeymap.cli import main
    except ModuleNotFoundError as error:
        sys.stderr.write(
            f"journeymap: the package {error.name} is not installed in {sys.executable}; `make run` installs all"
            " that is needed into .venv, or: python -m pip install -r requirements.txt\n"
        )
        return 1
    return main()


if __name__ == "__main__":
    sys.exit(start())
