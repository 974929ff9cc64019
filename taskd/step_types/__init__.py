"""Kinds of step that a YAML action may use: a file's name is the key.

Each file has
FIELDS          the schema of each of its keys
compile_step    from their values to what the step's definition gets; raises ValueError
find_needs      the earlier steps whose output it uses
find_names      what the templates of each key name; raises InvalidInput
"""
