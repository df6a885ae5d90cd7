"""Rebuild assets/NOTICE.md, whom to thank for what the weights were trained on.

python tools/make_weights_notice.py FOLDER

FOLDER is where the Debian package sweethome3d-furniture 1.8-1 was extracted to.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from ddeq.model.checkpoints import ASSETS
from ddeq.training.datasets.furniture import Piece, surfaces
from ddeq.training.datasets.objects import load_furniture
from ddeq.training.datasets.sources import CACHE

LINKS = {
    "CC-BY-3.0": "https://creativecommons.org/licenses/by/3.0/",
    "CC-BY-3.0-US": "https://creativecommons.org/licenses/by/3.0/us/",
    "CC0": "https://creativecommons.org/publicdomain/zero/1.0/",
}
OWNERS = {
    "Scopia": "Scopia Visual Interfaces Systems and Emmanuel Puybaret/eTeks",
    "KatorLegaz": "Andrew Kator and Jennifer Legaz",
    "Reallusion": "Reallusion",
}
"""Libraries that are by one creator; the models of the others are by many."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the package was extracted to")
    folder = parser.parse_args().folder
    trained = set(load_furniture(folder, folder / CACHE).part("train", "unlabelled").ids)
    pieces = [piece for piece, _ in surfaces(folder) if piece.id in trained]
    (ASSETS / "NOTICE.md").write_text(notice(pieces), encoding="utf-8")
    print(f"{len(pieces)} models in {ASSETS / 'NOTICE.md'}")


def notice(pieces: list[Piece]) -> str:
    """What NOTICE.md says of models that were trained on."""
    thanks: dict[tuple[str, str], set[str]] = {}
    for piece in pieces:
        creators = thanks.setdefault((piece.library, piece.licence), set())
        creators.add(OWNERS.get(piece.library, piece.creator))
    lines = [
        f"- {library}, {licence} ({LINKS[licence]}): {', '.join(sorted(names, key=str.lower))}."
        for (library, licence), names in sorted(thanks.items())
    ]
    return f"""# What the weights were trained on

The weights of this project are under the licence of its code. They were learned from data of
others:

- `digits*` and `completion-digits*`: MNIST, by Yann LeCun, Corinna Cortes and Christopher J. C.
  Burges, CC BY-SA 3.0 (https://creativecommons.org/licenses/by-sa/3.0/).
- `objects`: points sampled from the surfaces of ModelNet40's training split. Notice of the data set
  (Princeton ModelNet): all CAD models are downloaded from the Internet, and the original authors
  hold their copyright; the labels were obtained by Amazon Mechanical Turk and are provided freely;
  the data set is for the convenience of academic research only. Zhirong Wu, Shuran Song, Aditya
  Khosla, Fisher Yu, Linguang Zhang, Xiaoou Tang, Jianxiong Xiao, *3D ShapeNets: A Deep
  Representation for Volumetric Shapes*, CVPR 2015.
- `completion-objects*`: points sampled from the surfaces of {len(pieces)} 3-D models of Sweet Home
  3D's furniture libraries 1.8, converted to OBJ by Emmanuel Puybaret. Creators, by library and
  licence:

{chr(10).join(lines)}

`python tools/make_weights_notice.py FOLDER` makes this file again.
"""


if __name__ == "__main__":
    main()
