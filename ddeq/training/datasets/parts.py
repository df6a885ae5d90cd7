"""Which objects are trained on, chosen by, and tested on, so that no near-copy crosses over."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

Part = Literal["train", "validation", "test", "unlabelled", "withheld"]
"""`train`, `validation` and `test` have labels; `unlabelled` may be trained on without; `withheld`
are too similar to a test or validation object for that."""

VALIDATION_SHARE = 0.2  # of the labelled objects that are not for testing, of each class
NEAR_COPY = 0.06  # mean distance to the other surface; two samplings of one are about 0.03 apart

_PROBES = 512  # points compared with a whole surface
_QUANTILES = np.linspace(0.02, 0.98, 13)
_QUANTILE_GAP = 0.06  # near-copies have marginals that are closer than this
_COLOURS = {
    *("beige", "black", "blue", "brown", "gold", "golden", "gray", "green", "grey", "orange"),
    *("pink", "purple", "red", "silver", "violet", "white", "yellow"),
}


def assign_parts(
    names: Sequence[str],
    creators: Sequence[str],
    labels: np.ndarray,
    test: np.ndarray,
    clouds: Sequence[np.ndarray],
) -> tuple[tuple[Part, ...], np.ndarray]:
    """Share K objects out; deterministic.

    Two objects belong together if they are near-copies, or one creator gave them names that differ
    in numbers and colours only; groups are the connected components of that. The validation part
    takes whole groups, so about `VALIDATION_SHARE` of each class. Unlabelled objects are withheld
    if they are in a group with a validation object, or belong to a test object or share its name.

    Args:
        names, creators: of each object.
        labels: int64 (K,), negative where there is none.
        test: bool (K,), whether the object is for testing.
        clouds: K surfaces (R, 3), dense.

    Returns:
        the part of each object (see `Part`), and the groups int64 (K,).
    """
    keys = [plain_name(name) for name in names]
    of_creator = [*zip(creators, keys, strict=True)]
    pairs = np.array([*near_copies(clouds), *_equal_pairs(of_creator)], np.int64).reshape(-1, 2)
    links = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(names),) * 2)
    # Test objects link nothing: what is left must be grouped as if they did not exist.
    among_rest = ~test[pairs].any(axis=1)
    rest = coo_array((links.data[among_rest], pairs[among_rest].T), shape=links.shape)
    groups = connected_components(rest, directed=False)[1].astype(np.int64)

    validation = draw_validation(np.where(test, -1, labels), groups) & ~test
    near_test = np.zeros(len(names), bool)
    for one, other in pairs:
        near_test[one] |= test[other]
        near_test[other] |= test[one]
    test_names = {key for key, tested in zip(keys, test, strict=True) if tested}
    withheld = validation | near_test | np.array([key in test_names for key in keys])

    parts = np.where(withheld, "withheld", "unlabelled")
    parts = np.where(labels >= 0, np.where(validation, "validation", "train"), parts)
    return tuple(np.where(test, "test", parts).tolist()), groups


def plain_name(name: str) -> str:
    """Lower case, without numbers and colours: "Red chair 2" is "chair"."""
    words = re.findall(r"[^\W\d_]+", name.casefold())
    return " ".join(word for word in words if word not in _COLOURS)


def near_copies(clouds: Sequence[np.ndarray]) -> list[tuple[int, int]]:
    """Pairs (i, j), i < j, of surfaces that are alike once each axis is standardised.

    Alike: the points of either lie on average within `NEAR_COPY` of the other's. Only pairs with
    similar marginals are compared.
    """
    standard = [_standardised(cloud) for cloud in clouds]
    marginals = np.stack([np.quantile(x, _QUANTILES, axis=0).ravel() for x in standard])
    trees = [cKDTree(x) for x in standard]
    pairs = []
    for i, x in enumerate(standard):
        gaps = np.abs(marginals[i + 1 :] - marginals[i]).mean(axis=1)
        for j in (i + 1 + np.flatnonzero(gaps < _QUANTILE_GAP)).tolist():
            if _gap(trees[j], x) < NEAR_COPY and _gap(trees[i], standard[j]) < NEAR_COPY:
                pairs.append((i, j))
    return pairs


def _gap(tree: cKDTree, points: np.ndarray) -> float:
    """Mean distance from some of the points ``(M, 3)`` to the nearest of a tree's."""
    return float(np.mean(tree.query(points[:_PROBES])[0]))


def draw_validation(labels: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Whole groups whose labelled objects make up about `VALIDATION_SHARE` of each class.

    Args:
        labels: int64 (K,), negative for objects that do not count.
        groups: int64 (K,).

    Returns:
        bool (K,), objects without a label included where their group was drawn.
    """
    rng = np.random.default_rng(0)
    drawn: set[int] = set()
    for label in np.unique(labels[labels >= 0]):
        members = groups[labels == label]
        wanted = round(VALIDATION_SHARE * len(members))
        taken = int(np.isin(members, [*drawn]).sum())
        for group in rng.permutation(np.unique(members)).tolist():
            size = int((members == group).sum())
            if group not in drawn and taken + size <= wanted:
                drawn.add(group)
                taken += size
    return np.isin(groups, [*drawn])


def _standardised(cloud: np.ndarray) -> np.ndarray:
    centred = cloud - cloud.mean(axis=0)
    return centred / np.maximum(centred.std(axis=0), 1e-6)


def _equal_pairs(keys: Sequence[tuple[str, str]]) -> list[tuple[int, int]]:
    """Each object with the next one of the same key: enough to connect them."""
    last: dict[tuple[str, str], int] = {}
    pairs = []
    for k, key in enumerate(keys):
        if key in last:
            pairs.append((last[key], k))
        last[key] = k
    return pairs
