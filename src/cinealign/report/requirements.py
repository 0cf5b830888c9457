"""The exact versions of everything that a submission's notebook needs, as pip reads them."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution

EXTRA = "report"


def pinned(package: str = "cinealign", extras: frozenset[str] = frozenset({EXTRA})) -> list[str]:
    """`name==version` of all that `package` with `extras` needs and that is installed, sorted; not `package` itself.

    A local part of a version ("+cpu") is left out, as an index does not have it.
    """
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    found: dict[str, str] = {}
    waiting, seen = [(package, extras)], set()
    while waiting:
        name, wanted = waiting.pop()
        key = (canonicalize_name(name), wanted)
        if key in seen:
            continue
        seen.add(key)
        try:
            installed = distribution(name)
        except PackageNotFoundError:  # a marker we cannot judge, or a broken installation: pip will say so
            continue
        found[key[0]] = f"{installed.metadata['Name']}=={installed.version.partition('+')[0]}"
        for line in installed.requires or ():
            needed = Requirement(line)
            environments = [{"extra": extra} for extra in sorted(wanted)] or [{"extra": ""}]
            if needed.marker is None or any(needed.marker.evaluate(environment) for environment in environments):
                waiting.append((needed.name, frozenset(needed.extras)))
    found.pop(canonicalize_name(package), None)
    return [found[name] for name in sorted(found)]
