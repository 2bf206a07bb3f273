"""``python -m trenova_codecs.server``: how ``trenova-workers up`` starts the codec server."""

import os
import sys

from trenova_codecs.server._run import run_console

if __name__ == "__main__":
    sys.exit(run_console(os.environ))
