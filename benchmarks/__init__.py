"""How fast the gateway is, as ratios to floors of the same run: `make bench`."""
