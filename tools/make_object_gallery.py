"""Rebuild assets/objects/ from the Debian package sweethome3d-furniture 1.8-1.

python tools/make_object_gallery.py FOLDER
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from ddeq.input.gallery import OBJECT_POINTS, OBJECTS_FILE, ObjectGallery
from ddeq.training.datasets.galleries import choose_objects


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the package was extracted to")
    gallery = choose_objects(parser.parse_args().folder)
    OBJECTS_FILE.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        OBJECTS_FILE,
        steps=gallery.steps,
        boxes=gallery.boxes,
        ids=np.array(gallery.ids),
        names=np.array(gallery.names),
        classes=np.array(gallery.classes),
        creators=np.array(gallery.creators),
    )
    (OBJECTS_FILE.parent / "NOTICE.md").write_text(notice(gallery), encoding="utf-8")
    print(f"{len(gallery)} objects in {OBJECTS_FILE}")


def notice(gallery: ObjectGallery) -> str:
    """What NOTICE.md says."""
    models: dict[str, list[str]] = {}
    for i, (name, id_) in enumerate(zip(gallery.names, gallery.ids, strict=True)):
        models.setdefault(gallery.credit(i), []).append(f"{name} (`{id_.partition('#')[2]}`)")
    lines = [f"- {credit} {', '.join(models[credit])}." for credit in sorted(models, key=str.lower)]
    return f"""# Objects

`objects.npz` holds {len(gallery)} real objects as {OBJECT_POINTS:,} points each, drawn uniformly
by area from the surfaces of 3-D models in the Debian package `sweethome3d-furniture` 1.8-1, archive
`BlendSwap-CC-0.sh3f`. All of them are in the public domain,
https://creativecommons.org/publicdomain/zero/1.0/, and none was trained on.

{chr(10).join(lines)}

Arrays, K objects: `steps` uint16 (K, {OBJECT_POINTS}, 3), 0 to 65,535 across the object's box along
each axis; `boxes` float64 (K, 2, 3), the lowest and highest corner in metres, z up; `ids`, `names`,
`classes`, `creators` (K,). `python tools/make_object_gallery.py FOLDER` makes the files again.
"""


if __name__ == "__main__":
    main()
