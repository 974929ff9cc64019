"""Where steps run.

Every executor takes a `Call` and reports one `Outcome` for it. Only `run_step.py`, in a host, runs
author code; the daemon's own process never does.
"""
