"""What steps print, on disk: one file a step, in lines that say when, on which stream and what.

    2026-11-25T03:50:00.123456Z stdout F copied 40 files

The shim of a shell step writes here too: `mask`, `format` and `writer` load nothing that is slow.
"""
