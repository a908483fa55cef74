"""What this project's speed is worth, measured: `make bench`. Nothing here is needed to use the
project."""
