"""What was read or decided is never changed afterwards, and takes no fields it does not have."""

import importlib
import pkgutil

import pydantic
import pytest

import ivcoder

STEPS = [
    importlib.import_module(found.name)
    for found in pkgutil.walk_packages(ivcoder.__path__, "ivcoder.")
    if not found.name.startswith(("ivcoder.server", "ivcoder.prompts"))
]
OWN = sorted(
    {
        kind
        for module in STEPS
        for kind in vars(module).values()
        if isinstance(kind, type) and kind.__module__ == module.__name__
    },
    key=lambda kind: (kind.__module__, kind.__qualname__),
)


def label(kind):
    return f"{kind.__module__}.{kind.__qualname__}"


@pytest.mark.parametrize("kind", [kind for kind in OWN if "__dataclass_fields__" in vars(kind)], ids=label)
def test_a_dataclass_is_frozen_and_has_its_fields_only(kind):
    assert kind.__dataclass_params__.frozen
    assert "__slots__" in vars(kind)


@pytest.mark.parametrize("kind", [kind for kind in OWN if issubclass(kind, pydantic.BaseModel)], ids=label)
def test_a_model_is_frozen_and_refuses_other_fields(kind):
    assert kind.model_config["frozen"]
    assert kind.model_config["extra"] == "forbid"
