"""Methods by name, with their settings as a user writes them: ``inpaint:strength=0.8,steps=30``."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from importlib import import_module
from types import MappingProxyType
from typing import Any

from realedit.bench.methods.method import Method
from realedit.errors import UsageError

METHODS: Mapping[str, str] = MappingProxyType(
    {
        "realedit": "realedit.bench.methods.own:Own",
        "no-edit": "realedit.bench.methods.no_edit:NoEdit",
        "paste-telea": "realedit.bench.methods.paste:PasteTelea",
        "paste-ns": "realedit.bench.methods.paste:PasteNavierStokes",
        "paste-seamless": "realedit.bench.methods.paste:PasteSeamless",
        "inpaint": "realedit.bench.methods.inpaint:Inpaint",
        "differential": "realedit.bench.methods.differential:Differential",
        "ledits": "realedit.bench.methods.ledits:Ledits",
        "self-guidance": "realedit.bench.methods.self_guidance:SelfGuidance",
        "reconstruct": "realedit.bench.methods.reconstruct:Reconstruct",
    }
)
"""Where each method's class is."""

GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "all": tuple(name for name in METHODS if name != "reconstruct"),
        "classical": ("no-edit", "paste-telea", "paste-ns", "paste-seamless"),
        "peers": ("inpaint", "differential", "ledits", "self-guidance"),
        "ablations": (
            "realedit",
            "realedit:mask=true",
            # ingredients of the resampling, which by default depends on the model
            "realedit:strength=0.4",
            "realedit:strength=0.4,pixels=false",
            "realedit:strength=0.4,fill=false",
            "realedit:strength=0.7",
            "realedit:strength=0.4,hold=false",
            "realedit:strength=0.4,attention=false",
            "realedit:strength=0.4,leak_proof=false",
            "realedit:strength=0.4,self_guidance=0",
            "realedit:strength=0.4,automatic=false",
            "realedit:strength=0.4,window=1",
            "realedit:strength=0.4,shadow=false",
            "realedit:strength=0.4,pin=0",
            "realedit:strength=0.4,smooth=0",
            "realedit:strength=0.4,resample=0",
        ),
    }
)
"""Names that stand for several."""


@dataclass(frozen=True)
class MethodSpec:
    """A method's name and the settings that differ from its own.

    Args:
        name: one of :data:`METHODS`.
        options: as text, by setting.
    """

    name: str
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The method's name in tables: name and settings."""
        settings = ",".join(f"{key}={value}" for key, value in sorted(self.options.items()))
        return f"{self.name}:{settings}" if settings else self.name


def parse_method(text: str) -> list[MethodSpec]:
    """Returns the methods that a user's words name: one with its settings, or a group.

    Raises:
        UsageError: there is no such method or setting, or a value does not fit.
    """
    if text in GROUPS:
        return [spec for name in GROUPS[text] for spec in parse_method(name)]
    name, _, settings = text.partition(":")
    if name not in METHODS:
        known = ", ".join((*GROUPS, *METHODS))
        raise UsageError(f"no method '{name}'", f"use one of {known}")
    options: dict[str, str] = {}
    for part in filter(None, settings.split(",")):
        key, equals, value = part.partition("=")
        if not equals or not value:
            raise UsageError(f"method '{text}': '{part}' is not a setting", f"write {name}:name=value")
        options[key.strip()] = value.strip()
    spec = MethodSpec(name, options)
    build(spec)
    return [spec]


def build(spec: MethodSpec) -> Method:
    """Makes the method with its settings.

    Raises:
        UsageError: it has no such setting, or a value does not fit.
    """
    kind = method_class(spec.name)
    method = kind()
    nested: dict[str, Any] = {}
    plain: dict[str, Any] = {}
    own = {f.name: getattr(method, f.name) for f in fields(kind)}
    inner = (
        {f.name: getattr(own["settings"], f.name) for f in fields(own["settings"])}
        if "settings" in own
        else {}
    )
    for key, text in spec.options.items():
        if key in inner:
            nested[key] = _value(spec, key, text, inner[key])
        elif key in own and key != "settings":
            plain[key] = _value(spec, key, text, own[key])
        else:
            known = ", ".join(name for name in (*own, *inner) if name != "settings")
            raise UsageError(f"{spec.name} has no setting '{key}'", f"it has {known or 'none'}")
    if nested:
        plain["settings"] = replace(own["settings"], **nested)
    return replace(method, **plain)


def expand(spec: MethodSpec, most: int = 64) -> list[MethodSpec]:
    """Returns the method with every combination of its grid's values; options already set stay.

    Raises:
        UsageError: there would be more than ``most``.
    """
    grid = {key: values for key, values in method_class(spec.name).grid.items() if key not in spec.options}
    combinations = list(itertools.product(*grid.values()))
    if len(combinations) > most:
        raise UsageError(
            f"searching {spec.name} takes {len(combinations)} runs a case", "set some of its options"
        )
    return [
        MethodSpec(spec.name, {**spec.options, **{k: _text(v) for k, v in zip(grid, values, strict=True)}})
        for values in combinations
    ]


def method_class(name: str) -> type[Method]:
    """Returns the class of a method of :data:`METHODS`."""
    module, _, attribute = METHODS[name].partition(":")
    return getattr(import_module(module), attribute)


def unique(specs: Sequence[MethodSpec]) -> list[MethodSpec]:
    """Returns every method once, in order."""
    return list({spec.label: spec for spec in specs}.values())


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _value(spec: MethodSpec, key: str, text: str, default: object) -> object:
    """Converts text to a value of the default's own type."""
    try:
        match default:
            case bool():
                return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
            case int():
                return int(text)
            case float() | None:  # None: a number that is left to the model
                return float(text)
    except (KeyError, ValueError):
        kind = "float" if default is None else type(default).__name__
        raise UsageError(
            f"{spec.name}: {key} takes a {kind}, got '{text}'", "see realedit bench --help"
        ) from None
    return text
