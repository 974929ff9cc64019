"""Kinds of step that a YAML action may use: a file's name is the key.

Each file has `FIELDS`, the schema of each of its keys, and `compile_step`, which makes of them what
the step's definition gets.
"""
