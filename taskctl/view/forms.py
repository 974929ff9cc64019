"""Records in the forms that programs read: json, jsonl, yaml, csv and name.

JSON and YAML are escaped by their own rules, so they are inert; CSV and names go through `inert`.
"""

import itertools
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from taskd.model.inert import inert, inert_cell

Record: TypeAlias = dict[str, Any]


def print_list(
    form: str,
    page: Record,
    *,
    name: str = "id",
    fields: Sequence[str] | None = None,
    headers: bool = True,
) -> None:
    """A page of records. `name` is the field that names one, `fields` are the columns of CSV."""
    print_pages(form, iter([page]), name=name, fields=fields, headers=headers)


def print_pages(
    form: str,
    pages: Iterator[Record],
    *,
    name: str = "id",
    fields: Sequence[str] | None = None,
    headers: bool = True,
) -> None:
    """The same of pages that follow each other; each is printed as it comes."""
    if form == "json":
        _print_document(pages)
        return
    for page in pages:
        items = page["items"]
        if form == "jsonl":
            for item in items:
                print(json.dumps(item, separators=(",", ":")))
        elif form == "yaml":
            _print_yaml(items)
        elif form == "csv":
            _print_csv(items, fields or _plain_fields(items), headers)
            headers = False
        else:
            for item in items:
                print(inert(item[name]))


def _print_document(pages: Iterator[Record]) -> None:
    """One document of all pages, an item a line, so that none waits for the last one."""
    first = next(pages)
    more = {"more": True} if first.get("more") else {}
    head = json.dumps({"total": first["total"], **more}).removesuffix("}")
    indent = 2 if sys.stdout.isatty() else None
    print(head, end=', "items": [')
    separator = "\n"
    for page in itertools.chain([first], pages):
        for item in page["items"]:
            print(separator + json.dumps(item, indent=indent), end="")
            separator = ",\n"
    print("\n]}")


def print_one(form: str, item: Record, *, name: str = "id", headers: bool = True) -> None:
    """One record. In JSON and YAML it stands alone, elsewhere it is a list of one."""
    if form == "json":
        _print_json(item)
    elif form == "yaml":
        _print_yaml(item)
    else:
        print_list(form, as_page([item]), name=name, headers=headers)


def as_page(items: list[Record]) -> Record:
    """A list that the daemon gives whole, as a page."""
    return {"total": len(items), "items": items}


def _print_json(value: object) -> None:
    print(json.dumps(value, indent=2 if sys.stdout.isatty() else None))


def _print_yaml(value: object) -> None:
    import yaml  # slow to load, and only needed here

    print(yaml.safe_dump(value, sort_keys=False), end="")


def _print_csv(items: Iterable[Record], fields: Sequence[str], headers: bool) -> None:
    import csv  # only needed here

    writer = csv.writer(sys.stdout)
    if headers:
        writer.writerow(fields)
    for item in items:
        writer.writerow([_cell(item.get(field)) for field in fields])


def _cell(value: object) -> str:
    if isinstance(value, dict | list | bool):
        return inert_cell(json.dumps(value))
    return "" if value is None else inert_cell(value)


def _plain_fields(items: Sequence[Record]) -> list[str]:
    """The fields that fit in a cell."""
    return [k for k, v in items[0].items() if not isinstance(v, dict | list)] if items else []
