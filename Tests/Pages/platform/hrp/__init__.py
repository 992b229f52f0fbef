"""Stands in for the package of the research platform, of which hrp_backup replaces one module."""
