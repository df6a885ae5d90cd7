"""Every page, launched."""

import errno
import os
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from streamlit.testing.v1 import AppTest

from ddeq.input.families import OBJECTS
from ddeq.input.formats.sandbox import Limits, parse_apart
from ddeq.input.gallery import load_gallery, load_objects
from ddeq.model.checkpoints import ASSETS, load
from ddeq.view.classify import shown
from ddeq.view.words import class_name
from tests import readers
from tests.input.test_mesh import BAD_MESHES, glb, obj
from tests.pictures import encode

ROOT = Path(__file__).parents[2]
CLASSES = [class_name(label) for label in load(OBJECTS.classifier).card["labels"]]


def launched(**query: str) -> AppTest:
    test = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    test.query_params.update(query)
    return test.run()


PLAIN = {"solver": "picard"}


def said(test: AppTest) -> str:
    told = ("The model reads this as", "This is unlike anything the model has learned")
    return next(m.value for m in test.markdown if m.value.startswith(told))


def test_classify_shows_an_outcome_at_once():
    test = launched(digit="0")
    assert not test.exception and not test.error
    assert "**0**" in said(test)
    assert "MNIST" in " ".join(c.value for c in test.caption)


@pytest.mark.parametrize("solver", ["euler", "euler-decay", "momentum", "picard", "anderson"])
@pytest.mark.parametrize("kernel", ["riesz", "gaussian"])
def test_every_solver_and_kernel_runs(solver, kernel):
    test = launched(
        digit="30", solver=solver, kernel=kernel, tolerance="0", **{f"{solver}-steps": "3"}
    )
    assert not test.exception and not test.error
    assert "after 3 steps" in said(test)


def solver(test: AppTest) -> str:
    return test.selectbox(key="solver").value


def test_the_flow_plays_first_and_the_row_above_chooses_another_way():
    test = launched(digit="60")
    assert solver(test) == "nesterov" and test.segmented_control(key="way").value == "Gradient flow"
    for name, expected in (("Paper's settings", "euler"), ("Plain iteration", "picard")):
        test.segmented_control(key="way").set_value(name).run()
        assert not test.exception and solver(test) == expected
    assert "after 15 steps" in said(test)  # the card's solver, with the card's tolerance
    test.selectbox(key="solver").set_value("anderson").run()
    assert test.segmented_control(key="way").value is None


def test_the_outcome_says_what_each_way_costs():
    test = launched(digit="60", **PLAIN)
    [cost] = [c.value for c in test.caption if "of each way" in c.value]
    assert "*Plain iteration* 16." in cost
    assert "*Paper's settings* 151, without arriving" in cost and "*Gradient flow* " in cost


def test_a_run_can_be_copied_as_code():
    test = launched(digit="60", seed="3")
    python, command = (code.value for code in test.code)
    assert "load_gallery().cloud(60)" in python and "'seed': 3" in python
    assert command.startswith("ddeq classify ddeq-input.npz --solver nesterov")
    assert "--seed 3" in command


def test_objects_flow_too_and_arrive():
    test = launched(input="Objects", object="0")
    assert test.selectbox(key="object-solver").value == "nesterov" and "It converged" in said(test)


@pytest.mark.parametrize("page", ["classify", "complete"])
def test_a_model_says_where_it_is_weak(page):
    test = AppTest.from_file(str(ROOT / "pages" / f"{page}.py"), default_timeout=120)
    test.query_params.update({"input": "Objects", "object": "6"})
    test.run()
    name = {"classify": OBJECTS.classifier, "complete": OBJECTS.completer}[page]
    limits = load(ASSETS / f"{name}.safetensors").card["limits"]
    assert limits.endswith(".") and limits in [c.value for c in test.caption]


def test_settings_come_from_the_link():
    test = launched(
        digit="5", particles="7", seed="11", tolerance="0", **PLAIN, **{"picard-steps": "2"}
    )
    assert "after 2 steps and 3 network evaluations" in said(test)
    assert test.number_input(key="particles").value == 7
    assert test.number_input(key="seed").value == 11


@pytest.mark.parametrize("digit", ["-1", "999999", "cat", ""])
def test_a_link_that_makes_no_sense_shows_the_first_digit(digit):
    test = launched(digit=digit, seed="cat", solver="none")
    assert not test.exception
    assert "reads this as" in said(test)


def test_changing_a_setting_runs_again():
    test = launched(digit="5", tolerance="0", **PLAIN, **{"picard-steps": "2"})
    test.number_input(key="picard-steps").set_value(4).run()
    assert "after 4 steps" in said(test)
    test.selectbox(key="solver").set_value("momentum").run()
    assert "after 200 steps" in said(test) and not test.exception


@pytest.mark.parametrize("name", ["broken.ply", "notes.doc", "digit.png", "empty.xyz"])
def test_a_bad_upload_keeps_the_last_result(name):
    test = launched(digit="0")
    before = said(test)
    test.segmented_control(key="input").set_value("Upload").run()
    test.file_uploader[0].upload(name, b"not what it says", "application/octet-stream").run()
    assert not test.exception
    [error] = test.error
    assert name in error.value and error.value.endswith(".")
    assert said(test) == before
    assert "the last result, of MNIST test digit" in test.info[0].value


def upload(test: AppTest, name: str, content: bytes) -> None:
    test.segmented_control(key="input").set_value("Upload").run()
    test.file_uploader[0].upload(name, content, "application/octet-stream").run()
    assert not test.exception


def test_of_two_digits_in_a_picture_a_person_chooses_one(monkeypatch):
    test = launched(digit="0")
    images = load_gallery().images
    upload(test, "two.png", encode(np.hstack([images[24], images[0]])))
    assert "2 things" in " ".join(c.value for c in test.caption) and "**1**" in said(test)
    monkeypatch.setattr("ddeq.view.pictures.read_things", None)  # it is not read again
    [choice] = [c for c in test.segmented_control if c.label.startswith("Which one")]
    choice.set_value(1).run()
    assert "**0**" in said(test) and not test.exception


def test_an_object_of_the_gallery_is_classified():
    test = launched(input="Objects", object="6")
    assert not test.exception and not test.error
    assert "**Oak table**" in " ".join(c.value for c in test.caption)
    assert "Doug C" in " ".join(c.proto.help for c in test.caption)
    assert any(f"**{name}**" in said(test) for name in CLASSES)
    assert "rightly" in said(test) or "but it is a table" in said(test)


def test_a_link_that_names_an_object_alone_opens_it():
    test = launched(object="6")
    assert test.segmented_control(key="input").value == "Objects"
    assert "**Oak table**" in " ".join(c.value for c in test.caption)
    test.segmented_control(key="input").set_value("Digits").run()
    assert test.segmented_control(key="input").value == "Digits" and not test.exception


@pytest.mark.parametrize("number", ["-1", "29", "chair"])
def test_a_link_to_no_object_shows_the_first(number):
    test = launched(input="Objects", object=number)
    assert "**Armchair**" in " ".join(c.value for c in test.caption) and not test.exception


@pytest.mark.parametrize(
    "link",
    [
        {"digit": "9" * 5_000},
        {"particles": "1e999"},
        {"seed": "-inf"},
        {"tolerance": "nan"},
        {"at": "1e999"},
    ],
    ids=["digit", "particles", "seed", "tolerance", "at"],
)
def test_absurd_links_show_what_no_link_shows(link):
    test = launched(**link)
    assert not test.exception and not test.error
    assert "**7**" in said(test)


def test_a_second_file_with_the_same_points_has_its_own_name():
    test = launched(digit="0")
    for name in ("one.png", "another.png"):
        upload(test, name, encode(load_gallery().images[0]))
        assert test.session_state[shown.key].cloud.name == name


def test_families_keep_their_own_settings():
    test = launched(digit="5", **PLAIN, **{"picard-steps": "7", "tolerance": "0"})
    test.segmented_control(key="input").set_value("Objects").run()
    assert "after 7 steps" not in said(test)
    test.number_input(key="object-nesterov-steps").set_value(3).run()
    test.number_input(key="object-tolerance").set_value(0.0).run()
    assert "after 3 steps" in said(test)
    test.segmented_control(key="input").set_value("Digits").run()
    assert "after 7 steps" in said(test)
    test.segmented_control(key="input").set_value("Objects").run()
    assert "after 3 steps" in said(test)


def box_read(test: AppTest) -> str:
    return next(m.value for m in test.markdown if m.value.startswith("Read: "))


def test_a_mesh_is_read_shown_and_classified():
    test = launched(digit="0")
    upload(test, "box.glb", glb())
    assert "a mesh of" in box_read(test) and "12 faces" in box_read(test)
    assert " m." in box_read(test)  # glTF is in metres, y up
    assert next(s for s in test.selectbox if s.label == "Up axis").value == "y"
    assert any(f"**{name}**" in said(test) for name in CLASSES)


def test_what_is_used_of_an_upload_can_be_changed(monkeypatch):
    test = launched(digit="0")
    upload(test, "box.obj", obj())
    before = [c.value for c in test.caption if "Used: 1,024 points" in c.value]
    assert before
    monkeypatch.setattr("ddeq.view.uploads.read_file", None)  # it is not read again
    next(n for n in test.number_input if n.label == "Points used").set_value(512).run()
    assert any("Used: 512 points" in c.value for c in test.caption)
    next(s for s in test.selectbox if s.label == "Up axis").set_value("x").run()
    next(s for s in test.selectbox if s.label == "Sampling").set_value("poisson disk").run()
    assert not test.exception and not test.error
    assert any(f"**{name}**" in said(test) for name in CLASSES)


def test_a_scan_is_thinned_evenly_or_at_random():
    test = launched(digit="0")
    scan = np.random.default_rng(0).normal(size=(3000, 3))
    upload(test, "scan.xyz", "\n".join(" ".join(map(str, p)) for p in scan).encode())
    assert "a cloud of 3,000 points" in box_read(test)
    assert any("Used: 1,024 points" in c.value for c in test.caption)
    evenly = points_of_run(test)
    next(s for s in test.selectbox if s.label == "Sampling").set_value("random").run()
    assert not test.exception and not test.error
    at_random = points_of_run(test)
    assert len(evenly) == len(at_random)
    # What was spread evenly keeps its points farther apart.
    assert pdist(evenly).min() > pdist(at_random).min()


def points_of_run(test: AppTest) -> np.ndarray:
    """What the model was given."""
    return test.session_state[shown.key].points


def test_notes_on_a_flat_cloud_are_shown_and_it_can_be_read_as_an_object():
    test = launched(digit="0")
    rows = "\n".join(f"{x},{y},0,{x}" for x in range(6) for y in range(5))
    upload(test, "a.csv", f"x,y,z,_heat_\n{rows}\n".encode())
    assert "a cloud of 30 points" in box_read(test)
    captions = [c.value for c in test.caption]
    assert "It is flat, so it is read as a digit." in captions
    assert r"Left out\: '\_heat\_'." in captions  # as it stands in the file, not as Markdown
    first = said(test)
    next(t for t in test.toggle if "object" in t.label).set_value(True).run()
    assert not test.exception and not test.error
    assert any(f"**{name}**" in said(test) for name in CLASSES) and said(test) != first


def test_of_a_large_upload_only_many_points_are_kept(monkeypatch):
    monkeypatch.setattr("ddeq.view.uploads.KEPT", 2_000)
    monkeypatch.setattr("ddeq.view.uploads.without_outliers", lambda cloud: (cloud, ()))
    test = launched(digit="0")
    scan = np.random.default_rng(0).normal(size=(3000, 3))
    upload(test, "large.xyz", "\n".join(" ".join(map(str, p)) for p in scan).encode())
    assert "a cloud of 3,000 points" in box_read(test)
    next(n for n in test.number_input if n.label == "Points used").set_value(2048).run()
    assert any("Used: 2,000 points" in c.value for c in test.caption)


def test_points_that_lie_apart_are_left_out_and_a_note_says_so():
    test = launched(digit="0")
    chair = np.append(load_objects().cloud(0, 500).points, [[9, 9, 9]], axis=0)
    upload(test, "a.xyz", "\n".join(" ".join(map(str, p)) for p in chair).encode())
    assert any("lie apart from the others and are left out" in c.value for c in test.caption)
    assert np.abs(points_of_run(test)).max() < 5


def test_an_object_on_its_side_is_stood_up_which_a_person_can_change(monkeypatch):
    monkeypatch.setattr("ddeq.view.uploads.find_up", lambda *given: "-x")
    test = launched(digit="0")
    upload(test, "a.obj", obj())
    told = "It is read with -x up, as it is recognised best that way."
    axis = next(s for s in test.selectbox if s.label == "Up axis")
    assert axis.value == "-x" and told in [c.value for c in test.caption]
    axis.set_value("z").run()
    assert told not in [c.value for c in test.caption] and not test.exception


def test_a_full_disk_is_one_sentence(monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("shutil.copyfileobj", full)
    test = launched(digit="0")
    upload(test, "a.obj", obj())
    [error] = test.error
    assert "No space left" in error.value


BAD_UPLOADS = (
    "obj of lines",
    "triangles without area in a.stl",
    "obj named ply",
    "glb cut short",
    "ply that lies a lot",
    "obj with NaN",
    "a zip named obj",
    "gltf that points outside itself",
)


@pytest.mark.parametrize("what", BAD_UPLOADS)
def test_a_bad_mesh_is_one_sentence_and_nothing_is_lost(what):
    name, content, part = BAD_MESHES[what]
    test = launched(digit="0")
    before = said(test)
    upload(test, name, content)
    [error] = test.error
    assert part in error.value and error.value.endswith(".")
    assert said(test) == before


def test_a_reader_that_hangs_is_one_sentence(monkeypatch):
    hung = partial(parse_apart, limits=Limits(seconds=0.3), parser=readers.hang)
    monkeypatch.setattr("ddeq.input.clouds.parse_apart", hung)
    test = launched(digit="0")
    upload(test, "a.obj", obj())
    [error] = test.error
    assert "longer than 0.3 seconds" in error.value


COMPLETE = str(ROOT / "pages" / "complete.py")
FILLED = "known points** for"
PLANE = "\n".join(f"{x} {y} 0" for x in range(6) for y in range(5)).encode()


def standing(**query: str) -> AppTest:
    """Page *Complete* as one arrives there."""
    test = AppTest.from_file(COMPLETE, default_timeout=120)
    test.query_params.update(query)
    return test.run()


def completing(**query: str) -> AppTest:
    """The same once Complete has been pressed, where that is possible."""
    test = standing(**query)
    assert not test.exception
    if not button(test).disabled:
        press_complete(test)
    return test


def filled(test: AppTest) -> str:
    return next(m.value for m in test.markdown if FILLED in m.value)


def is_filled(test: AppTest) -> bool:
    return any(FILLED in m.value for m in test.markdown)


def button(test: AppTest):
    return next(b for b in test.button if b.label == "Complete")


def press_complete(test: AppTest) -> None:
    button(test).click()
    test.run()
    assert not test.exception


def captions(test: AppTest) -> str:
    return " ".join(c.value for c in test.caption)


def test_complete_begins_with_an_object_cut_by_a_scan_and_fills_it_in_when_asked():
    test = standing()
    assert not test.exception and not test.error and not is_filled(test)
    assert "**Armchair**" in captions(test) and "of 1,024 points removed" in captions(test)
    assert test.segmented_control(key="part").value == "Scan"
    press_complete(test)
    assert "Against the truth" in filled(test) and "reads what was left as" in filled(test)


def test_a_completion_can_be_copied_as_code():
    test = completing(digit="168", free="7", **{"fill-seed": "3"})
    python, command = (code.value for code in test.code)
    assert "free=7" in python and "'seed': 3" in python
    assert command.startswith("ddeq complete ddeq-partial.npz") and "--free 7" in command
    assert "--seed 3" in command


def test_a_cut_changed_after_a_completion_is_shown_as_it_is_cut():
    test = completing(digit="168")
    before = filled(test)
    test.slider(key="radius").set_value(0.4).run()
    assert not is_filled(test) and "points removed" in captions(test)
    press_complete(test)
    assert filled(test) != before
    test.slider(key="radius").set_value(0.6).run()
    test.slider(key="radius").set_value(0.4).run()
    assert is_filled(test)  # it is the cut that has been completed


def test_what_was_completed_by_hand_can_be_cut_anew():
    test = completing(digit="168", cut="By hand")
    assert is_filled(test)
    next(b for b in test.button if b.label == "Cut anew").click().run()
    assert not test.exception and not is_filled(test)
    press_complete(test)
    assert is_filled(test)


def test_a_link_to_a_moment_of_a_completion_leads_there():
    assert is_filled(standing(digit="168", step="2"))
    assert not is_filled(standing(digit="168"))


def test_a_completion_that_is_worse_than_what_it_began_with_says_so(monkeypatch):
    test = completing(digit="168")
    assert any(m.value.startswith("**Filled in**") for m in test.markdown)
    fallen = iter([0.5, *[0.1] * 100])
    monkeypatch.setattr("ddeq.run.truth.coverage", lambda *clouds: next(fallen))
    test = completing(digit="168", **{"fill-picard-steps": "2", "fill-tolerance": "0"})
    [worse] = [m.value for m in test.markdown if m.value.startswith("**Worse than before**")]
    assert "10% of the removed points" in worse and "50% by the noise" in worse


def test_particles_that_began_elsewhere_are_not_in_the_link_and_the_page_says_so():
    test = completing(digit="5", **{"fill-tolerance": "0", "fill-picard-steps": "2"})
    assert "not in the link" not in captions(test)
    test.toggle[0].set_value(True).run()
    press_complete(test)
    assert "not in the link" in captions(test)


@pytest.mark.parametrize(
    ("query", "known"),
    [
        ({"cut": "Holes", "holes": "1", "radius": "0.3"}, None),
        ({"cut": "Thinning", "thin": "50"}, 58),
        ({"cut": "By hand", "removed": "____"}, 116 - 24),
        ({"cut": "Nothing"}, 116),
    ],
)
def test_every_way_to_cut_is_completed_from_its_link(query, known):
    removed = query.get("removed")
    if removed:  # the first 24 of the digit's points, as bits
        query = {**query, "removed": removed + "A" * 16}
    test = completing(digit="168", **query)
    assert not test.exception and not test.error
    if known is not None:
        assert f"**{known} known points**" in filled(test)
    assert ("Against the truth" in filled(test)) == (query["cut"] != "Nothing")


def test_a_setting_changed_waits_for_the_button():
    test = completing(digit="5")
    before = filled(test)
    test.number_input(key="free").set_value(7).run()
    assert filled(test) == before and "Press Complete" in test.info[0].value
    press_complete(test)
    assert "**7 free particles**" in filled(test) and not test.info


def test_particles_can_go_on_from_where_they_are():
    test = completing(digit="5", **{"fill-tolerance": "0", "fill-picard-steps": "3"})
    first = filled(test)
    test.slider(key="radius").set_value(0.4).run()
    test.toggle[0].set_value(True).run()
    press_complete(test)
    assert filled(test) != first
    free = first.split("**")[1]
    assert f"**{free}**" in filled(test)  # as many as there were


def test_seeds_are_compared():
    test = completing(digit="5", seeds="3")
    assert not test.exception and not test.error
    said = [m.value for m in test.markdown if "completion" in m.value and "EMD between" in m.value]
    assert len(said) == 1 and "3 seeds" in said[0]


@pytest.mark.parametrize(
    "query",
    [
        {"cut": "Holes", "holes": "6", "radius": "1.5"},  # everything removed
        {"cut": "By hand", "removed": "A" * 20},  # nothing removed
        {"cut": "By hand", "removed": "_" * 19 + "A"},  # two points left
    ],
)
def test_a_cut_that_cannot_be_completed_is_one_sentence(query):
    test = completing(digit="168", **query)
    assert not test.exception
    [error] = test.error
    assert error.value.endswith(".") and ". " not in error.value
    assert button(test).disabled


def test_a_bad_cut_keeps_the_last_completion():
    test = completing(digit="168")
    before = filled(test)
    test.slider(key="holes").set_value(6).run()
    test.slider(key="radius").set_value(1.5).run()
    assert len(test.error) == 1 and filled(test) == before


def test_a_flat_cloud_in_space_is_completed_in_its_plane():
    test = completing(digit="168")
    before = filled(test)
    upload(test, "plane.xyz", PLANE)
    assert not test.error
    press_complete(test)
    assert filled(test) != before and test.segmented_control(key="cut").value == "Holes"


SHELL = "\n".join(
    f"{x} {y} {z}"
    for x in range(6)
    for y in range(4)
    for z in range(3)
    if x in (0, 5) or y in (0, 3) or z in (0, 2)
)
SHELL = f"{SHELL}\n5 1.5 0.5\n5 1.5 1.5".encode()  # 64 points on a box, 2 more on its right


@pytest.mark.parametrize(
    ("query", "known"),
    [
        ({"part": "Scan", "azimuth": "10", "elevation": "80"}, None),
        ({"part": "Sphere", "centre": "1,1,1", "sphere": "21"}, 66 - 4),  # a corner and 3
        ({"part": "Sphere", "centre": "cat", "sphere": "5"}, 66 - 1),  # on top
        ({"part": "Plane", "normal": "x", "offset": "50"}, 12 + 10 + 10 + 2),
        ({"part": "Plane", "normal": "x", "offset": "30", "other-side": "true"}, 12 + 10 + 10 + 10),
        ({"part": "Plane", "normal": "View", "azimuth": "90", "elevation": "0"}, 18 + 14 + 2),
        ({"part": "Thinning", "thin": "50"}, 33),
        ({"part": "Nothing"}, 66),
    ],
)
def test_every_way_to_cut_an_object_is_completed_from_its_link(query, known, monkeypatch):
    monkeypatch.setattr("ddeq.view.uploads.find_up", lambda *given: given[2])  # the customary axis
    test = completing(digit="168", **query, **{"object-fill-picard-steps": "2"})
    upload(test, "shell.xyz", SHELL)
    assert not test.error
    press_complete(test)
    if known is not None:
        assert f"**{known} known points**" in filled(test)
    truth = query["part"] != "Nothing"
    assert ("Against the truth" in filled(test)) == truth == ("F-score at 1%" in filled(test))
    if truth:
        known = int(filled(test).split("known points")[0].split("**")[-1])
        assert f"**{66 - known} free particle" in filled(test)  # as many as removed


def test_an_object_that_is_cut_away_is_one_sentence():
    test = completing(digit="168", part="Sphere", sphere="60")
    upload(test, "small.xyz", b"0 0 0\n1 0 0\n0 1 0\n0 0 0.3\n0.1 0.1 0.1")
    [error] = test.error
    assert "left" in error.value and error.value.endswith(".")
    assert button(test).disabled


def test_more_particles_than_memory_allows_are_refused():
    test = completing(digit="168")
    before = filled(test)
    test.number_input(key="free").set_value(900_000).run()
    press_complete(test)
    assert len(test.error) == 1 and filled(test) == before
