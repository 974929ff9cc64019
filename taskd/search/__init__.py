"""The query language: text to a tree (`parser`), the tree to a condition of SQL (`sql`).

Pure: no store, no clock of its own. Who asks, when and in which time zone is handed in (`Asker`).
"""
