"""How things look: the daemon's records (plain JSON) in, renderables and text out. No requests.

Every text that a task, a user or an author may have written goes through `inert`.
"""
