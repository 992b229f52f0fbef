"""A stand-in for the platform's package ``hrp``: only what tests need of it. None of it is the platform's own code."""
