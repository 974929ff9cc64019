"""The pages of an HTML export: they work from a file, offline, and run no script.

Text of tasks passes Jinja's escaping and `taskd.model.inert`, and nothing else makes markup.
"""
