"""The operations guide's names, by hrp-backup-shim; the program hrp does the work."""
