"""The child of `taskd.catalog.child`: the only process, beside hosts, that imports author code."""

import json
import os
import sys

from taskd import wire
from taskd.catalog.load import load_catalog
from taskd.catalog.yaml_source import compile_definition
from taskd.model.errors import TaskdError


def main() -> None:
    question = json.load(sys.stdin.buffer)
    answer = os.dup(1)
    os.dup2(2, 1)  # what action files print is not the answer

    def tell(text: str) -> None:
        with open(answer, "w", closefd=False) as file:
            file.write(text)

    sys.dont_write_bytecode = True  # a .pyc of an edited file looks fresh within the same second
    try:
        if "text" in question:
            line = wire.result(
                1, wire.dumps(compile_definition(question["text"], question["file"]))
            )
        else:
            loaded = load_catalog(
                question["folders"], question["skip"], lambda file: tell(f"at {file}\n")
            )
            line = wire.result(1, wire.dumps(loaded))
    except TaskdError as error:
        line = wire.failure(1, error)
    tell(line.decode().strip())


if __name__ == "__main__":
    main()
