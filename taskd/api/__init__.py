"""What the daemon can be asked. `api/tasks.py: resume` is the RPC method `tasks.resume`.

Each function is marked with how it runs (`methods.py`) and with the permission that it needs.
"""
