"""Makes `builders` importable from every ring."""
