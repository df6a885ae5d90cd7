"""Where the nodes of a glTF scene place their meshes.

Format: https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html#nodes-and-hierarchy
"""

from __future__ import annotations

from typing import Any

import numpy as np

_LIKE = {"translation": (0.0, 0.0, 0.0), "rotation": (0.0, 0.0, 0.0, 1.0), "scale": (1.0, 1.0, 1.0)}


def place_meshes(header: dict[str, Any]) -> dict[int, np.ndarray]:
    """For each mesh of the scene the transforms (K, 4, 4) of the K nodes that place it.

    Linear in the number of nodes.

    Raises:
        ValueError, LookupError, TypeError: the header is broken, or a node has two parents.
    """
    nodes = header.get("nodes", [])
    if not nodes and not header.get("scenes"):
        return {mesh: np.eye(4)[None] for mesh in range(len(header.get("meshes", [])))}
    local = _local(nodes)  # (N,4,4)
    world = np.empty_like(local)
    seen = np.zeros(len(nodes), bool)
    level = np.array(_roots(header, nodes), np.int64)
    parents = np.full(len(level), -1)
    while len(level):
        if level.min() < 0 or seen[level].any() or len(np.unique(level)) < len(level):
            raise ValueError("a node with two parents")
        seen[level] = True
        world[level] = local[level]
        if parents[0] >= 0:
            world[level] = world[parents] @ local[level]
        children = [nodes[node].get("children", []) for node in level.tolist()]
        parents = np.repeat(level, list(map(len, children)))
        level = np.array([child for family in children for child in family], np.int64)
    placed: dict[int, list[int]] = {}
    for node in np.flatnonzero(seen).tolist():
        if "mesh" in nodes[node]:
            placed.setdefault(nodes[node]["mesh"], []).append(node)
    if placed and min(placed) < 0:
        raise IndexError("a mesh that is none")
    return {mesh: world[users] for mesh, users in placed.items()}


def _roots(header: dict[str, Any], nodes: list[dict[str, Any]]) -> list[int]:
    if scenes := header.get("scenes"):
        return scenes[header.get("scene", 0)].get("nodes", [])
    children = {child for node in nodes for child in node.get("children", [])}
    return [node for node in range(len(nodes)) if node not in children]


def _local(nodes: list[dict[str, Any]]) -> np.ndarray:
    """Of each node relative to its parent: (N, 4, 4)."""
    parts = {
        key: np.array([node.get(key, like) for node in nodes], np.float64).reshape(-1, len(like))
        for key, like in _LIKE.items()
    }
    x, y, z, w = (parts["rotation"] / _length(parts["rotation"])).T
    turn = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    ).transpose(2, 0, 1)  # (N,3,3)
    local = np.zeros((len(nodes), 4, 4))
    local[:, :3, :3] = turn * parts["scale"][:, None]
    local[:, :3, 3] = parts["translation"]
    local[:, 3, 3] = 1
    for i, node in enumerate(nodes):
        if "matrix" in node:
            local[i] = np.reshape(node["matrix"], (4, 4)).T  # column by column
    return local


def _length(rotations: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(rotations, axis=1, keepdims=True)
    return np.where(lengths > 0, lengths, 1)
