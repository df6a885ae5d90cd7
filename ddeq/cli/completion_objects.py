"""The task ``evaluate completion-objects``: completers of objects, side by side."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ddeq.cli.compared import COMPLETERS, add_runs, add_steps_table, compared
from ddeq.cli.modelnet import add_data
from ddeq.cli.parser import Parser, add_common, whole
from ddeq.cli.recording import add_card, add_record, recorded
from ddeq.cli.solving import add_run, load_kind, said, settings
from ddeq.evaluation import completion
from ddeq.evaluation.mirror import mirror
from ddeq.evaluation.modelnet import drawn
from ddeq.evaluation.object_cases import CUTS, WORN, cut_objects
from ddeq.evaluation.object_neighbours import ObjectNeighbours
from ddeq.evaluation.recognition import recognition
from ddeq.run.device import pick_device
from ddeq.shipped import weights_file
from ddeq.training.datasets.modelnet import load_modelnet
from ddeq.training.datasets.objects import ObjectClouds, load_furniture
from ddeq.training.datasets.sources import CACHE, folder_of


def add_task(tasks: argparse._SubParsersAction[Parser]) -> None:
    """The task among the others of ``evaluate``."""
    task = tasks.add_parser("completion-objects", help=run.__doc__, description=run.__doc__)
    add_data(task)
    task.add_argument(
        "--furniture",
        type=Path,
        metavar="FURNITURE_FOLDER",
        help="also the test models of the unpacked package sweethome3d-furniture",
    )
    task.add_argument(
        "--cuts",
        choices=(*CUTS, *WORN),
        nargs="+",
        help=f"only these; default: {', '.join(CUTS)}; the others are scans by worse sensors",
    )
    task.add_argument("--points", type=whole(6), help="of a whole object (default: 1024)")
    task.add_argument("--limit", type=whole(1), help="only so many objects, from the whole split")
    task.add_argument(
        "--neighbours",
        type=whole(0),
        default=1000,
        help="copy from so many training objects, from the whole split (default: %(default)s; "
        "0: not at all)",
    )
    task.add_argument(
        "--recognition",
        action="store_true",
        help="also whether the shipped classifier has shapes right before and after",
    )
    add_runs(task, "completion-objects-0 and completion-objects-pcn-2")
    add_steps_table(task)
    add_card(task)
    add_record(task)
    add_common(task)
    add_run(task)
    task.set_defaults(run=recorded(run), model=weights_file("completion-objects"))


def run(options: argparse.Namespace) -> dict[str, Any]:
    """A completer of objects, its control and PCN beside it, and methods that learn nothing."""
    found = load_modelnet(folder_of("modelnet", options.data))
    train = drawn(found.part("train"), options.neighbours)
    unlearned: dict[str, completion.Unlearned] = {"mirror": mirror}
    if options.neighbours:
        neighbours = ObjectNeighbours(train)
        unlearned["neighbour"] = neighbours.complete
        unlearned["neighbour-untold"] = neighbours.complete_untold
    objects = {"modelnet": found.part(options.split)}
    if options.furniture is not None:
        objects["furniture"] = load_furniture(options.furniture, options.furniture / CACHE).part(
            options.split
        )
    about: dict[str, Any] = {"split": options.split, "notes": list(found.notes)}
    about["neighbours"] = len(train) if options.neighbours else 0
    if options.recognition:
        about["recognition"] = _recognised(options, objects["modelnet"])
    tables = {name: _table(options, some, unlearned) for name, some in objects.items()}
    return about | tables.pop("modelnet") | tables


def _table(
    options: argparse.Namespace, objects: ObjectClouds, unlearned: dict[str, completion.Unlearned]
) -> dict[str, Any]:
    """All methods on one source of objects; at the top what the DDEQ came to."""
    device = pick_device(options.device)
    chosen = drawn(objects, options.limit)
    cases, skipped = cut_objects(chosen, options.points, options.cuts)
    models = compared(COMPLETERS, options, device)
    table = completion.compare(
        cases, models, unlearned, said(options), device, options.steps_table, batch_size=8
    )
    ddeq = table["methods"].get(completion.DDEQ, {})
    top = {region: ddeq[region] for region in ("missing", "whole") if region in ddeq}
    return {"objects": len(chosen), "skipped": skipped, **top, **table, "device": str(device)}


def _recognised(options: argparse.Namespace, objects: ObjectClouds) -> dict[str, Any]:
    """Of the first completer's completions, see :func:`ddeq.evaluation.recognition.recognition`."""
    device = pick_device(options.device)
    classifier = load_kind(weights_file("objects"), "classifier", device)
    known = drawn(objects, options.limit).labelled_as(classifier.card["labels"])
    cases, _ = cut_objects(known, options.points, options.cuts)
    completer = load_kind(options.model, "completer", device)
    solved = completion.solve(completer, cases, settings(completer, options), device, batch_size=8)
    return recognition(classifier, cases, solved.free, device)
