from __future__ import annotations

import inspect
from importlib.resources import files

import batchata


def test_all_is_sorted_and_importable() -> None:
    assert list(batchata.__all__) == sorted(batchata.__all__)
    for name in batchata.__all__:
        assert getattr(batchata, name) is not None


def test_everything_public_is_documented() -> None:
    for name in batchata.__all__:
        thing = getattr(batchata, name)
        if name != "Price":
            assert inspect.getdoc(thing), name
    for kind in (batchata.BatchJob, batchata.BatchManager):
        for name, member in inspect.getmembers(kind):
            if not name.startswith("_") or name in {"__await__", "__init__"}:
                assert inspect.getdoc(member), name


def test_the_package_is_marked_as_typed() -> None:
    assert files("batchata").joinpath("py.typed").is_file()
