"""Rebuild assets/digits/digits.npz from the IDX files of MNIST.

python tools/make_digit_gallery.py MNIST_DIR
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from ddeq.input.gallery import DIGITS_FILE
from ddeq.training.datasets.galleries import choose
from ddeq.training.datasets.mnist import load_mnist


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mnist", type=Path, help="a folder with the IDX files of MNIST")
    gallery = choose(load_mnist(parser.parse_args().mnist, "test"))
    np.savez_compressed(
        DIGITS_FILE, images=gallery.images, labels=gallery.labels, indices=gallery.indices
    )
    print(f"{len(gallery.labels)} digits in {DIGITS_FILE}")


if __name__ == "__main__":
    main()
