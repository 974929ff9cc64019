"""What is wrong with a daemon and what it stands on, and what to type: small functions.

A check is given the patient, changes nothing, and says of each thing how it is. Most need no
daemon, so that something can be said also while none answers. A new one is a line in `examine.py`.
"""
