"""What things are: pure data and rules. Standard library only; no file, clock, socket or database.

What is here travels as it is: from a row of the store over the socket to a table in the terminal.
"""
