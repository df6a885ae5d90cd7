"""The demo's scenes, and how one follows another."""

import pytest

from ddeq.input.families import DIGITS, OBJECTS
from ddeq.input.prepare import prepare
from ddeq.lab.samples import samples
from ddeq.model.checkpoints import load
from ddeq.run.classification import ClassifierRun
from ddeq.run.settings import with_defaults
from ddeq.solve.flow import Stopped
from ddeq.view.demo.scenes import SCENES, after
from ddeq.view.ways import FIRST

FAMILIES = {"Digits": DIGITS, "Objects": OBJECTS}


@pytest.mark.parametrize("scene", SCENES, ids=str)
def test_a_scene_is_a_good_example(scene):
    """It is recognised, and its particles arrive, by what the page begins with."""
    family = FAMILIES[scene.source]
    known, checkpoint = samples(family), load(family.classifier)
    points = prepare(known.clouds[scene.number], checkpoint.card)
    run = ClassifierRun(checkpoint, points, with_defaults(checkpoint.card, FIRST))
    run.finish()
    assert run.outcome.label in known.answers[scene.number].right
    assert run.outcome.stopped is Stopped.CONVERGED


def test_all_scenes_come_by_turns_and_the_first_after_anything_else():
    shown = [SCENES[0]]
    for _ in SCENES:
        shown.append(after(shown[-1].source, str(shown[-1].number)))
    assert tuple(shown) == (*SCENES, SCENES[0])
    for source, number in (("Digits", "0"), ("Upload", ""), ("", ""), ("Objects", "168")):
        assert after(source, number) == SCENES[0]
