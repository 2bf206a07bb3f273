"""``python -m trenova_workers`` is ``trenova-workers``."""

from trenova_workers.cli import main

if __name__ == "__main__":
    main()
