"""How authors say what a task does. Standard library only; no file, clock or socket.

What is public is listed in `taskd/__init__.py`.
"""
