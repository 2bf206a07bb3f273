"""How ``trenova-workers up`` starts the console; by hand it is ``system-worker console``."""

from system_worker.__main__ import main

if __name__ == "__main__":
    main(["console"])
