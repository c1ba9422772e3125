"""`python app.py` is `journeymap run`; `app:server` is what an ASGI server imports. Importing this starts nothing."""

import sys
from typing import Any


def __getattr__(name: str) -> Any:
    if name != "server":
        raise AttributeError(name)
    from journeymap.bootstrap import create_server

    return create_server()


if __name__ == "__main__":
    from journeymap.cli import main

    sys.exit(main(["run", *sys.argv[1:]]))
