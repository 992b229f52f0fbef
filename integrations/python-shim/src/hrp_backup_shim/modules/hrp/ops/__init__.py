"""The ops server: ``python -m hrp.ops`` is ``hrp ops``."""
