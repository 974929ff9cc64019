"""Asks for tasks one after the other, on a connection each, and again where the answer is lost.

python load.py COUNT LEDGER    prints how many answers were lost; the daemon must be reachable
"""

import sys

from taskd.client import Client
from taskd.model.errors import Unavailable

count, ledger = int(sys.argv[1]), sys.argv[2]
lost = 0
for number in range(count):
    while True:
        try:
            with Client() as client:
                client.exec(f"echo {number} >> {ledger}", cwd="/", environment={}, key=str(number))
            break
        except Unavailable as error:
            if not error.message.startswith("lost the daemon"):
                raise
            lost += 1
print(lost)
