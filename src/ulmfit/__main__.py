"""`python -m ulmfit` is `ulmfit`."""

from ulmfit.cli import main

if __name__ == "__main__":  # a spawned worker imports this file again
    main()
