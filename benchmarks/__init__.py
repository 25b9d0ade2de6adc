"""Speed, side by side with peers: `make bench`. Never part of `make test`."""
