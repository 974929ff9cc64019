"""The SQLite store. The only package that imports sqlite3 or sqlite_utils.

One connection writes, in the director's thread, and alone checkpoints; readers have snapshots.
"""
