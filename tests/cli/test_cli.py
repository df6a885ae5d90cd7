"""The command line, as scripts use it."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import ddeq
from ddeq.cli import COMMANDS, main, readable
from ddeq.evaluation import solvers
from ddeq.input.clouds import read_cloud
from ddeq.input.formats.axes import UP_AXES
from ddeq.input.gallery import load_gallery
from ddeq.input.partial import Orbit, seen_from
from ddeq.model.checkpoints import load, save
from ddeq.settings import settings_of
from ddeq.shipped import ASSETS, RECIPES, recipe_file
from ddeq.solve.kernels import KERNELS
from ddeq.solve.solvers import SOLVERS
from ddeq.training.datasets import objects
from ddeq.training.datasets.furniture import CLASSES, labels
from tests import modelnet, solids

ROOT = Path(__file__).parents[2]


@pytest.fixture
def digit(tmp_path) -> Path:
    """A picture of a zero."""
    image = np.kron(load_gallery().images[0], np.ones((10, 10), np.uint8))
    Image.fromarray(255 - image).save(tmp_path / "zero.png")
    return tmp_path / "zero.png"


@pytest.fixture
def mnist(tmp_path) -> Path:
    """A folder in MNIST's format that holds the gallery, as train and test split."""
    gallery = load_gallery()

    def header(kind: int, *sizes: int) -> bytes:
        return bytes((0, 0, 8, kind)) + np.array(sizes, ">u4").tobytes()

    count = len(gallery.labels)
    for prefix in ("train", "t10k"):
        images = header(3, count, 28, 28) + gallery.images.tobytes()
        labels = header(1, count) + gallery.labels.astype(np.uint8).tobytes()
        (tmp_path / f"{prefix}-images-idx3-ubyte").write_bytes(images)
        (tmp_path / f"{prefix}-labels-idx1-ubyte").write_bytes(labels)
    return tmp_path


@pytest.fixture
def completer(tmp_path, tiny_completer) -> Path:
    """The weights of a tiny random completer."""
    path = tmp_path / "tiny-completion.safetensors"
    save(tiny_completer.model, tiny_completer.card, path)
    return path


@pytest.fixture
def ball(tmp_path) -> Path:
    """A cloud that is not flat."""
    np.save(tmp_path / "ball.npy", np.random.default_rng(0).normal(size=(50, 3)))
    return tmp_path / "ball.npy"


@pytest.fixture
def cube(tmp_path) -> Path:
    """A mesh: a cube from the origin to (1, 2, 3), of quadrilaterals."""
    corners = [(x, 2 * y, 3 * z) for x in (0, 1) for y in (0, 1) for z in (0, 1)]
    faces = [(1, 2, 4, 3), (5, 7, 8, 6), (1, 5, 6, 2), (3, 4, 8, 7), (1, 3, 7, 5), (2, 6, 8, 4)]
    lines = [f"v {x} {y} {z}" for x, y, z in corners]
    lines += ["f " + " ".join(map(str, face)) for face in faces]
    (tmp_path / "cube.obj").write_text("\n".join(lines) + "\n")
    return tmp_path / "cube.obj"


@pytest.fixture
def models(tmp_path) -> Path:
    """A folder of tiny random models of objects, named as what ships."""
    folder = tmp_path / "models"
    folder.mkdir()
    made = {
        "objects": solids.classifier(),
        "completion-objects": solids.completer(),
        "completion-objects-pcn": solids.pcn(),
    }
    for name, checkpoint in made.items():
        save(checkpoint.model, checkpoint.card, folder / f"{name}.safetensors")
    return folder


@pytest.fixture
def furniture(tmp_path) -> Path:
    """A folder of data that holds plain solids."""
    objects.save(solids.solids(), tmp_path / "furniture" / "objects.npz")
    return tmp_path / "furniture"


def said(capsys, *arguments: object) -> dict:
    """The one JSON object that a command prints."""
    assert main([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_classify_tells_what_was_read(capsys, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x,y,z,heat\n" + "".join(f"{i},{i % 7},0,9\n" for i in range(30)))
    notes = said(capsys, "classify", path, "--steps", 1)["notes"]
    assert "Left out: 'heat'." in notes
    assert notes[-1] == "It is flat, so it is read as a digit; --up reads it as an object."
    assert said(capsys, "classify", path, "--steps", 1, "--up", "z")["notes"] == notes[:-1]


def test_classify_prints_one_json_object(digit):
    """In a process of its own: nothing but the object may reach stdout."""
    command = [sys.executable, "-m", "ddeq", "classify", str(digit), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    result = json.loads(done.stdout)
    assert result["label"] == "0"
    assert set(result) >= {
        *("label", "probabilities", "steps", "evaluations", "objective", "relative_objective"),
        *("stopped", "seconds", "device", "notes"),
    }
    assert sum(result["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert result["evaluations"] == result["steps"] + 1


def test_classify_takes_settings(capsys, digit):
    options = ("--solver", "euler", "--steps", 3, "--tolerance", 0, "--device", "cpu")
    result = said(capsys, "classify", digit, *options)
    assert (result["steps"], result["stopped"]) == (3, "step limit")


def test_without_json_the_result_is_readable(capsys, digit):
    assert main(["classify", str(digit)]) == 0
    assert "label: 0\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["classify", "missing.ply"],
        ["classify", "ZERO", "--solver", "none"],
        ["classify", "ZERO", "--steps", "many"],
        ["classify", "ZERO", "--device", "tpu"],
        ["classify", "ZERO", "--model", "missing.safetensors"],
        ["classify"],
        ["unknown"],
        ["train", "missing.toml", "--data", "."],
        ["evaluate", "digits", "--data", "missing"],
        ["evaluate", "digits", "--data", ".", "--model", "COMPLETER"],
        ["evaluate", "completion-digits", "--data", "missing", "--model", "COMPLETER"],
        ["evaluate", "completion-digits", "--data", "MNIST", "--limit", "0"],
        ["classify", "ZERO", "--model", "COMPLETER"],
        ["complete", "ZERO"],
        ["complete", "ZERO", "--out", "done.exe", "--model", "COMPLETER"],
        ["complete", "ZERO", "--out", "no/such/folder.ply", "--model", "COMPLETER"],
        ["complete", "ZERO", "--out", "no.ply", "--model", "assets/digits.safetensors"],
        ["complete", "ZERO", "--out", "no.ply", "--model", "COMPLETER", "--hole", "1,2"],
        ["complete", "ZERO", "--out", "no.ply", "--model", "COMPLETER", "--hole", "1,2,x"],
        ["complete", "ZERO", "--out", "no.ply", "--model", "COMPLETER", "--hole", "99,99,1"],
        ["complete", "ZERO", "--out", "no.ply", "--model", "COMPLETER", "--hole", "0,0,nan"],
        ["complete", "ZERO", "--out", "no.ply", "--model", "COMPLETER", "--hole", "14,-14,99"],
        ["complete", "ZERO", "--out", "no.ply", "--model", "COMPLETER", "--holes", "-1"],
        ["complete", "ZERO", "--out", "no.ply", "--model", "COMPLETER", "--radius", "wide"],
        ["complete", "ZERO", "--out", "no.ply", "--model", "COMPLETER", "--free", "0"],
        ["complete", "ZERO", "--out", "no.ply", "--model", "COMPLETER", "--free", "99999"],
        ["complete", "BALL", "--out", "no.ply", "--model", "COMPLETER", "--holes", "2"],
        ["complete", "BALL", "--out", "no.ply", "--model", "COMPLETER"],
        ["complete", "ZERO", "--out", "no.ply", "--model", "COMPLETER", "--scan", "0,0"],
        ["complete", "ZERO", "--out", "no.ply", "--model", "COMPLETER", "--sphere", "0,0,0,1"],
        ["complete", "BALL", "--out", "no.ply", "--model", "SOLIDS", "--hole", "0,0,1"],
        ["complete", "BALL", "--out", "no.ply", "--model", "SOLIDS", "--sphere", "0,0,1"],
        ["complete", "BALL", "--out", "no.ply", "--model", "SOLIDS", "--sphere", "0,0,0,99"],
        ["complete", "BALL", "--out", "no.ply", "--model", "SOLIDS", "--plane", "0,0,0,1"],
        ["complete", "BALL", "--out", "no.ply", "--model", "SOLIDS", "--plane", "0,0,1,-99"],
        ["complete", "BALL", "--out", "no.ply", "--model", "SOLIDS", "--scan", "0,inf"],
        ["classify", "BALL", "--up", "w"],
        ["classify", "ZERO", "--up", "y"],
        ["classify", "BALL", "--sampling", "even"],
        ["classify", "BALL", "--model", "assets/digits.safetensors"],
        ["classify", "CUBE", "--points", "2"],
        ["evaluate", "objects", "--data", ".", "--samplings", "0"],
        ["evaluate", "modelnet"],
        ["evaluate", "modelnet", "--data", "missing"],
        ["evaluate", "modelnet", "--data", ".", "--flow", "newton"],
        ["train", "modelnet-200k"],
        ["train", "modelnet-200k", "--data", "missing"],
    ],
)
def test_errors_are_one_sentence_and_status_2(
    capsys, monkeypatch, digit, mnist, completer, ball, cube, models, arguments
):
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("DDEQ_MODELNET", raising=False)
    files = {"ZERO": digit, "MNIST": mnist, "COMPLETER": completer, "BALL": ball, "CUBE": cube}
    files["SOLIDS"] = models / "completion-objects.safetensors"
    assert main([str(files.get(a, a)) for a in arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1 and printed.err.endswith(".\n")


def test_evaluate_counts_what_classify_says(capsys, mnist):
    result = said(capsys, "evaluate", "digits", "--data", mnist, "--limit", 30, "--stability")
    assert result["total"] == 30
    assert result["accuracy"] == result["correct"] / 30 > 0.9
    low, high = result["interval"]
    assert low < result["accuracy"] <= high
    assert result["parameters"] == 773_114
    assert result["mean_relative_objective"] < 0.05
    assert result["agreement_of_seeds"] > 0.9 and result["changed_5x"] < 0.1


def test_an_evaluation_fills_the_card_of_its_model(capsys, mnist, tmp_path):
    for suffix in (".safetensors", ".json"):
        shutil.copy(ASSETS / f"digits{suffix}", tmp_path / f"mine{suffix}")
    command = ("evaluate", "digits", "--data", mnist, "--model", tmp_path / "mine.safetensors")
    result = said(capsys, *command, "--limit", 8, "--card", "gallery")
    found = json.loads((tmp_path / "mine.json").read_text())["results"]["gallery"]
    assert (found["correct"], found["total"]) == (result["correct"], 8)
    assert found["provenance"]["command"] == (
        "ddeq evaluate digits --data MNIST_FOLDER --model MODEL --limit 8 --card gallery --json"
    )


def test_evaluate_can_read_the_validation_split(capsys, mnist):
    result = said(
        capsys, *("evaluate", "digits", "--data", mnist, "--split", "validation", "--limit", 5)
    )
    assert (result["split"], result["total"]) == ("validation", 5)


def test_evaluate_solvers_compares_one_to_the_reference_and_draws_it(
    capsys, mnist, tmp_path, monkeypatch
):
    limits = replace(solvers.REFERENCE.limits, steps=5)
    monkeypatch.setattr(solvers, "REFERENCE", replace(solvers.REFERENCE, limits=limits))
    figure = tmp_path / "solvers.svg"
    options = ("--data", mnist, "--limit", 3, "--solver", "broyden", "--figure", figure)
    result = said(capsys, "evaluate", "solvers", *options)
    assert {*result["solvers"]} == {"reference", "broyden"}
    assert result["solvers"]["broyden"]["settings"]["solver"] == "broyden"
    assert result["digits"] == 3 and figure.read_text().count('id="curve-') == 2


def test_train_writes_a_model_that_classify_reads(capsys, mnist, digit, tmp_path):
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(
        """
        name = "tiny"
        seed = 0
        validation = 40
        [card]
        labels = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
        points = 60
        settings = { solver = "picard", kernel = "riesz", steps = 5 }
        [model]
        classes = 10
        particles = 4
        operator = { latent_dim = 16, hidden_dim = 4, heads = 4 }
        [[stages]]
        batches = 2
        batch_size = 8
        points = 30
        solves = [{ solver = "picard", steps = [1, 2] }]
        """
    )
    out = tmp_path / "run"
    trained = said(capsys, "train", recipe, "--data", mnist, "--out", out)
    result = said(capsys, "classify", digit, "--model", trained["weights"])
    assert result["label"] in "0123456789"
    effort = load(trained["weights"]).card["training"]
    assert effort["batches"] == 2 and effort["seconds"] >= 0
    begun = ["--from", trained["weights"], "--set", "stages.0.batches=0"]
    same = said(capsys, "train", recipe, "--data", mnist, "--out", tmp_path / "b", *begun)
    first, second = (load(run["weights"]).model.state_dict() for run in (trained, same))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_bench_measures_both_ways_in_one_run(capsys, monkeypatch):
    monkeypatch.setattr("ddeq.bench.digits.MANY", 30)
    monkeypatch.setattr("ddeq.bench.rate.SIDE", 64)
    result = said(capsys, "bench", "digits", "--steps", 2, "--repeats", 1)
    assert "objects" not in result and result["threads"] >= 1
    for config in ("paper", "shipped"):
        for batch in ("batch_1", "batch_64", "particles_30"):
            row = result["digits"][config][batch]
            assert row["ratio"] == pytest.approx(row["ms_per_step_naive"] / row["ms_per_step"])
            assert row["ms_to_first_step"] > 0
        completion = result["digits"][f"completion_{config}"]
        assert (completion["known"], completion["free"]) == (100, 40)
        assert completion["ms_per_step"] > 0


def test_info_names_the_models(capsys):
    result = said(capsys, "info")
    assert result["models"]["digits"]["parameters"] == 773_114
    assert result["models"]["digits"]["kind"] == "classifier"
    assert {*result["models"]} == {file.stem for file in ASSETS.glob("*.safetensors")}
    for name, told in result["models"].items():
        assert told["parameters"] == load(name).parameters
        assert all(told.values()), f"{name} is told something empty"
    assert (result["ddeq"], result["torch"]) == (ddeq.__version__, torch.__version__)


def test_bench_measures_the_start_of_commands(capsys):
    result = said(capsys, "bench", "start", "--repeats", 1)["start"]
    assert {*result} == {"import torch", "--help", "info", "classify"}
    for row in result.values():
        assert row["ratio"] == pytest.approx(row["seconds"] / result["import torch"]["seconds"])


def test_what_is_empty_is_not_printed():
    result = {"labels": [], "settings": {}, "gpu": None, "inner": {"none": {}}, "zero": 0.0}
    assert readable({**result, "interval": [0.5, 1 / 3], "some": {"x": False}}) == (
        "zero: 0\ninterval: 0.5, 0.3333\nsome:\n  x: False"
    )


def test_nothing_that_a_command_prints_has_an_empty_value(capsys, digit):
    for command in (["info"], ["classify", str(digit)]):
        assert main(command) == 0
        lines = capsys.readouterr().out.splitlines()
        for line, below in zip(lines, [*lines[1:], ""], strict=True):
            deeper = below.startswith(" " * (len(line) - len(line.lstrip()) + 2))
            assert line.endswith(":") == deeper and "None" not in line, line


# Only what a command needs is imported


def imported(*arguments: object) -> set[str]:
    """The packages that are in memory after a command, in a process of its own."""
    program = (
        "import sys\nfrom ddeq.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    command = [sys.executable, "-c", program, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout
    return {name.split(".")[0] for name in done.stderr.splitlines()[-1].split()}


HEAVY = {"open3d", "streamlit", "matplotlib", "plotly", "sklearn", "ot", "scipy", "trimesh"}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["info", "--device", "cpu"]])
def test_what_needs_no_torch_does_not_import_it(arguments):
    found = imported(*arguments)
    assert "ddeq" in found and not found & {"torch", *HEAVY}


def test_a_small_cloud_is_classified_without_what_others_need(line):
    found = imported("classify", line[0])
    assert "torch" in found and not found & HEAVY


# Help


def test_help_names_every_command_and_they_are_there(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    for name, command in COMMANDS.items():
        assert re.search(rf"^ +{name} +{re.escape(command.help)}$", shown, re.MULTILINE)
        with pytest.raises(SystemExit):
            main([name, "--help"])
        assert f"ddeq {name}" in capsys.readouterr().out


def test_help_shows_options_under_the_solver_that_owns_them_with_default_and_range(capsys):
    with pytest.raises(SystemExit):
        main(["classify", "--help"])
    shown = capsys.readouterr().out
    for what, registry in (("solver", SOLVERS), ("kernel", KERNELS)):
        for name, kind in registry.items():
            section = re.search(rf"^{what} {name}:\n(.*?)(?=^\S|\Z)", shown, re.M | re.S)
            text = " ".join(section[1].split())
            assert re.findall(r"--([a-z-]+) X", text) == [
                field.name.replace("_", "-") for field in settings_of(kind)
            ]
            for field in settings_of(kind):
                default = f"({field.low:g} to {field.high:g}; default: {field.default:g})"
                assert default in text


def test_an_option_may_belong_to_several_solvers(capsys, digit):
    for solver in ("euler", "momentum"):
        result = said(capsys, "classify", digit, "--solver", solver, "--step-size", 2, "--steps", 1)
        assert result["steps"] == 1
    assert main(["classify", str(digit), "--solver", "euler", "--step-size", "99"]) == 2
    assert "step_size" in capsys.readouterr().err


def test_models_and_recipes_that_ship_go_by_their_names(capsys, ball, mnist, tmp_path):
    by_name = said(capsys, "classify", ball, "--model", "objects")
    by_path = said(capsys, "classify", ball, "--model", ASSETS / "objects.safetensors")
    assert by_name["probabilities"] == by_path["probabilities"]
    assert main(["classify", str(ball), "--model", "no-such-model"]) == 2
    assert "no-such-model" in capsys.readouterr().err
    assert recipe_file("objects") == RECIPES / "objects.toml"


def test_a_command_whose_packages_are_missing_says_how_to_get_them(capsys, monkeypatch):
    monkeypatch.setattr("ddeq.cli.app.find_spec", {}.get)
    assert main(["app"]) == 2
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1 and "pip install 'ddeq[app]'" in printed.err


def test_the_app_is_streamlits_with_its_options(monkeypatch):
    calls = []
    monkeypatch.setattr(sys, "argv", ["ddeq"])
    monkeypatch.setattr("runpy.run_module", lambda name, **how: calls.append([name, *sys.argv]))
    with pytest.raises(SystemExit):
        main(["app", "--server.port", "8080", "--server.headless", "true"])
    options = ["--server.port", "8080", "--server.headless", "true"]
    assert calls == [["streamlit", "streamlit", "run", str(ROOT / "app.py"), *options]]


# Completion


@pytest.fixture
def line(tmp_path) -> tuple[Path, np.ndarray]:
    """30 points about a line through the origin, as a file."""
    x = np.linspace(-3, 3, 30)
    points = np.stack([x, np.sin(7 * x) / 7], axis=1)
    np.save(tmp_path / "line.npy", points)
    return tmp_path / "line.npy", points


def test_complete_without_holes_takes_the_file_as_partial(capsys, line, completer, tmp_path):
    file, points = line
    out = tmp_path / "done.csv"
    result = said(capsys, "complete", file, "--out", out, "--model", completer)
    assert {*result} == {
        *("known", "free", "steps", "evaluations", "objective", "relative_objective", "spread"),
        *("stopped", "seconds", "device", "notes"),
    }
    assert (result["known"], result["free"], result["steps"]) == (30, 8, 4)
    found = read_cloud(out, out.name).points
    assert len(found) == 38 and found[:30].tobytes() == points.tobytes()


@pytest.mark.parametrize("name", ["done.ply", "done.xyz", "done.npy", "done.csv"])
def test_complete_cuts_holes_in_the_units_of_the_file(capsys, line, completer, tmp_path, name):
    file, points = line
    out = tmp_path / name
    holes = ("--hole", "-1.5,0,0.5", "2,0,1")
    options = ("--out", out, "--model", completer, "--free", 5)
    result = said(capsys, "complete", file, *options, *holes)
    keep = np.hypot(points[:, 0] + 1.5, points[:, 1]) > 0.5
    keep &= np.hypot(points[:, 0] - 2, points[:, 1]) > 1
    assert (result["known"], result["free"]) == (keep.sum(), 5)
    assert {*result} >= {"mmd2", "chamfer", "chamfer_squared", "emd", "coverage"}
    found = read_cloud(out, out.name).points
    assert found[: keep.sum(), :2].tobytes() == points[keep].tobytes()
    assert len(found) == keep.sum() + 5


def test_complete_cuts_random_holes_by_seed(capsys, digit, completer, tmp_path):
    def known(*options: object) -> bytes:
        out = tmp_path / "done.npy"
        result = said(capsys, "complete", digit, "--out", out, "--model", completer, *options)
        return np.load(out)[: result["known"]].tobytes()

    assert known("--holes", 2) == known("--holes", 2, "--radius", 0.6, "--seed", 0)
    assert known("--holes", 2) != known("--holes", 2, "--seed", 1)
    assert known("--holes", 2) != known("--holes", 2, "--radius", 0.3)


@pytest.mark.parametrize("split", ["test", "validation"])
def test_evaluate_completion_tells_what_it_left_out(capsys, mnist, completer, split):
    command = ("evaluate", "completion-digits", "--data", mnist, "--model", completer)
    options = ("--limit", 4, "--neighbours", 50, "--split", split, "--json")
    assert main([*map(str, (*command, *options))]) == 0
    printed = capsys.readouterr()
    for missing in ("control", "pcn"):
        assert f"Without {completer.stem}-{missing}: " in printed.err
    result = json.loads(printed.out)
    assert result["cases"] + result["skipped"] == 4 and result["split"] == split
    assert {*result["methods"]} == {"ddeq", "copy", "neighbour"}
    # The test split of this folder is its train split: each digit is its own neighbour.
    exact = result["methods"]["neighbour"]["missing"]["chamfer"]["mean"] < 0.1
    assert exact == (split == "test")


# Objects in space


def test_what_lies_in_a_plane_is_a_digit_and_anything_else_an_object(
    capsys, monkeypatch, digit, ball, cube, models
):
    assert said(capsys, "classify", digit)["label"] == "0"
    monkeypatch.setattr("ddeq.shipped.ASSETS", models)
    for file in (ball, cube):
        result = said(capsys, "classify", file)
        assert {*result["probabilities"]} == {*solids.CLASSES}
        explicit = said(capsys, "classify", file, "--model", models / "objects.safetensors")
        assert explicit["probabilities"] == result["probabilities"]


def test_a_sheet_is_an_object_where_the_up_axis_is_said(capsys, monkeypatch, tmp_path, models):
    sheet = np.random.default_rng(0).normal(size=(40, 3)) * [1, 1, 0]
    np.save(tmp_path / "sheet.npy", sheet)
    monkeypatch.setattr("ddeq.shipped.ASSETS", models)
    result = said(capsys, "classify", tmp_path / "sheet.npy", "--up", "z")
    assert {*result["probabilities"]} == {*solids.CLASSES}


def test_the_up_axis_and_the_sampling_of_a_mesh_can_be_chosen(capsys, cube, models):
    model = ("--model", models / "objects.safetensors")
    options = ([], ["--up", "x"], ["--up=-y"], ["--points", 30], ["--sampling", "poisson disk"])
    results = [said(capsys, "classify", cube, *model, *more) for more in options]
    assert len({json.dumps(result["probabilities"]) for result in results}) == len(options)


@pytest.fixture
def egg(tmp_path) -> tuple[Path, np.ndarray]:
    """An ellipsoid away from the origin, y up, as a file."""
    points = solids.ball(np.random.default_rng(0))[:150] * [1, 3, 2] + [10, 20, 30]
    np.save(tmp_path / "egg.npy", points)
    return tmp_path / "egg.npy", points


@pytest.mark.parametrize("up", ["x", "y", "z", "-y"])
@pytest.mark.parametrize("name", ["done.ply", "done.npy"])
def test_complete_cuts_objects_in_the_units_and_axes_of_the_file(
    capsys, egg, models, tmp_path, up, name
):
    file, points = egg
    out = tmp_path / name
    options = ("--out", out, "--model", models / "completion-objects.safetensors", f"--up={up}")
    cuts = ("--sphere", "10,23,30,1.5", "--plane", "0,0,2,29")  # the plane z = 29
    result = said(capsys, "complete", file, *options, *cuts)
    keep = np.linalg.norm(points - [10, 23, 30], axis=1) > 1.5
    keep &= points[:, 2] >= 29
    assert 0 < keep.sum() < (points[:, 2] >= 29).sum()
    # As many particles as were removed complete it, as the card says.
    assert (result["known"], result["free"]) == (keep.sum(), (~keep).sum())
    assert {*result} >= {"mmd2", "chamfer", "chamfer_squared", "emd", "f_score", "coverage"}
    found = read_cloud(out, out.name).points
    assert found[: keep.sum()].tobytes() == points[keep].tobytes()
    assert len(found) == len(points)


def test_complete_scans_about_the_up_axis(capsys, egg, models, tmp_path):
    file, points = egg
    model = ("--model", models / "completion-objects.safetensors")

    def known(*options: object) -> np.ndarray:
        out = tmp_path / "done.npy"
        result = said(capsys, "complete", file, "--out", out, *model, *options)
        return np.load(out)[: result["known"]]

    upright = seen_from(points, Orbit(30, 20).position(points))
    np.testing.assert_array_equal(known("--scan", "30,20", "--up", "z"), points[upright])
    # From straight above, whichever axis of the file that is.
    low, high = points.min(axis=0), points.max(axis=0)
    for flag in UP_AXES:
        away = np.eye(3)["xyz".index(flag[-1])] * (-1 if flag[0] == "-" else 1)
        camera = (low + high) / 2 + 2 * np.linalg.norm(high - low) * away
        expected = points[seen_from(points, camera)]
        np.testing.assert_array_equal(known("--scan", "0,90", f"--up={flag}"), expected)
    np.testing.assert_array_equal(known("--up", "z"), points)  # partial as it is


@pytest.fixture
def doors(tmp_path) -> Path:
    """A folder of data that holds plain solids under the names of pieces of furniture."""
    found = solids.solids()
    known = labels()
    named = {of: [k for k, v in known.items() if CLASSES[v.label] == of] for of in CLASSES}
    opening = [id_ for id_ in named["opening"] if "indow" in known[id_].name]
    ids = (*named["car"][:8], *opening[:8], *named["bed"][:8], "of no class")
    furniture = replace(found, ids=ids, classes=("car", "opening", "bed"))
    objects.save(furniture, tmp_path / "doors" / "objects.npz")
    return tmp_path / "doors"


def test_evaluate_objects_asks_of_furniture_what_the_model_has_a_class_for(capsys, doors, models):
    card = models / "objects.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | {"labels": ["car", "cup", "bed"]}))
    model = ("--model", models / "objects.safetensors")
    command = ("evaluate", "objects", "--data", doors, *model)
    result = said(capsys, *command, "--samplings", 2, "--steps", 3, "--card")
    assert (result["split"], result["objects"], result["points"]) == ("test", 4, 40)
    assert result["left_out"]["count"] == 2 and result["mean_steps"] == 3
    assert {name: row["total"] for name, row in result["classes"].items()} == {"bed": 2, "car": 2}
    assert {*result["conditions"]} == {"turned", "scanned"}
    kept = json.loads(card.read_text())["results"]["furniture"]
    assert kept["vote"]["correct"] == result["vote"]["correct"]
    assert "--data FURNITURE_FOLDER" in kept["provenance"]["command"]
    fewer = said(capsys, *command, "--points", 30, "--split", "validation")
    assert (fewer["split"], fewer["points"], fewer["samplings"]) == ("validation", 30, 5)


@pytest.fixture
def shapes(tmp_path, monkeypatch) -> Path:
    """A folder of ModelNet's form that holds plain solids, and few points are taken of each."""
    monkeypatch.setattr("ddeq.evaluation.object_cases.POINTS", 40)
    return modelnet.write_npz(tmp_path / "shapes", modelnet.shapes())


def test_evaluate_completion_objects_tells_what_it_left_out(capsys, shapes, furniture, models):
    command = ("evaluate", "completion-objects", "--data", shapes, "--steps-table", "--json")
    model = ("--model", models / "completion-objects.safetensors", "--steps", 2)
    also = ("--furniture", furniture, "--limit", 4, "--cuts", "plane", "sphere")
    assert main([*map(str, (*command, *model, *also))]) == 0
    printed = capsys.readouterr()
    assert "Without completion-objects-control: " in printed.err and "pcn" not in printed.err
    result = json.loads(printed.out)
    unlearned = {"copy", "mirror", "neighbour", "neighbour-untold"}
    for table in (result, result["furniture"]):
        assert {*table["methods"]} == {"ddeq", "pcn", *unlearned}
        assert table["objects"] == 4 and table["cases"] + table["skipped"] == 2 * 4
        assert {*table["cuts"]} <= {"plane", "sphere"}
        assert [*table["steps_table"]] == ["0", "1", "2"]
        for region in ("missing", "whole"):  # the DDEQ's, at the top
            assert table[region] == table["methods"]["ddeq"][region]
            assert {*table[region]} >= {"chamfer", "emd", "f_score", "f_score_2", "mmd2"}
        assert "unevenness" in table["missing"]


def test_evaluate_completion_objects_compares_runs(capsys, shapes, models, tmp_path):
    for seed in (1, 2):
        folder = tmp_path / f"completion-objects-{seed}"
        folder.mkdir()
        for suffix in (".json", ".safetensors"):
            shutil.copy(models / f"completion-objects{suffix}", folder)
    command = ("evaluate", "completion-objects", "--data", shapes, "--runs", tmp_path)
    few = ("--seeds", 1, 2, "--steps", 2, "--neighbours", 0, "--limit", 3)
    result = said(capsys, *command, *few)
    assert {*result["methods"]} == {"ddeq", "copy", "mirror"} and "furniture" not in result
    found = result["methods"]["ddeq"]
    each = found["trainings"]["whole"]["emd"]
    assert {*each["means"]} == {"completion-objects-1", "completion-objects-2"}
    assert each["deviation"] == 0  # one and the same model
    assert each["means"]["completion-objects-1"] == pytest.approx(found["whole"]["emd"]["mean"])


def test_evaluate_completion_objects_asks_the_classifier(capsys, monkeypatch, shapes, models):
    monkeypatch.setattr(
        "ddeq.cli.completion_objects.weights_file", lambda name: models / f"{name}.safetensors"
    )
    command = ("evaluate", "completion-objects", "--data", shapes, "--recognition", "--limit", 2)
    model = ("--model", models / "completion-objects.safetensors", "--steps", 2)
    found = said(capsys, *command, *model, "--neighbours", 0)["recognition"]
    assert {*found} == {"known", "completed", "whole", "gained"}
    assert all(0 <= found[name]["mean"] <= 1 for name in ("known", "completed", "whole"))


@pytest.mark.parametrize("task", ["objects", "completion-objects"])
def test_a_missing_package_is_named_after_the_progress(capsys, tmp_path, task):
    assert main(["evaluate", task, "--data", str(tmp_path / "missing")]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and str(tmp_path / "missing") in printed.err.splitlines()[-1]


@pytest.fixture
def shape_runs(tmp_path) -> Path:
    """Two trainings of a DDEQ, one of its control and of a PointNet, and one that is not done."""
    made = {
        "small-0": solids.classifier(0),
        "small-1": solids.classifier(1),
        "small-control-0": solids.classifier(2),
        "peer-0": solids.pointnet(0),
    }
    for run, checkpoint in made.items():
        name = run.rpartition("-")[0]
        folder = tmp_path / "runs" / run
        folder.mkdir(parents=True)
        save(checkpoint.model, checkpoint.card, folder / f"{name}.safetensors")
    (tmp_path / "runs" / "small-2").mkdir()
    (tmp_path / "runs" / "notes").mkdir()
    return tmp_path / "runs"


def test_evaluate_modelnet_tells_of_one_model_at_the_top(capsys, tmp_path, shape_runs):
    data = modelnet.write_npz(tmp_path / "data", modelnet.shapes())
    model = shape_runs / "small-0" / "small.safetensors"
    command = ("evaluate", "modelnet", "--data", data, "--model", model, "--points", 30)
    result = said(capsys, *command, "--steps-table", "--flow", "nesterov", "--flow-steps", 2)
    assert {*result} >= {
        *("accuracy", "class_accuracy", "correct", "total", "interval", "parameters"),
        *("mean_steps", "median_relative_objective", "median_spread", "median_distinct"),
        *("accuracy_by_step", "mostly_distinct", "changed_5x", "flow"),
    }
    assert (result["split"], result["total"], result["points"]) == ("test", 9, 30)
    assert result["flow"]["settings"]["steps"] == 2 and result["mean_steps"] == 4
    assert result["accuracy_by_step"]["4"] == result["accuracy"]
    turned = said(capsys, *command, "--yaw", "--limit", 4, "--split", "validation")
    assert turned["yaw"] and (turned["split"], turned["total"]) == ("validation", 4)


def test_evaluate_modelnet_compares_the_runs_that_are_there(capsys, tmp_path, shape_runs):
    data = modelnet.write_npz(tmp_path / "data", modelnet.shapes())
    figure = tmp_path / "sizes.svg"
    command = ("evaluate", "modelnet", "--data", data, "--runs", shape_runs, "--figure", figure)
    assert main([*map(str, command), "--json"]) == 0
    printed = capsys.readouterr()
    assert "Without small-2: " in printed.err and "notes" not in printed.err
    result = json.loads(printed.out)
    assert [*result["models"]] == ["peer", "small", "small-control"]
    assert {*result["models"]["small"]["trainings"]} == {"small-0", "small-1"}
    assert {*result["differences"]["small"]} == {"small-control", "peer"}
    assert len({*re.findall('id="curve-[0-9]"', figure.read_text())}) == 3


def test_evaluate_modelnet_needs_runs_for_a_figure_and_in_a_folder(capsys, tmp_path):
    data = modelnet.write_npz(tmp_path / "data", modelnet.shapes())
    for more in (["--figure", "no.svg"], ["--runs", str(tmp_path / "data")]):
        assert main(["evaluate", "modelnet", "--data", str(data), *more]) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_evaluate_gradients_compares_the_modes_on_clouds_held_out(
    capsys, tmp_path, shape_runs, monkeypatch
):
    data = modelnet.write_npz(tmp_path / "data", modelnet.shapes())
    monkeypatch.setenv("DDEQ_MODELNET", str(data))
    weights = shape_runs / "small-0" / "small.safetensors"
    card = json.loads(weights.with_suffix(".json").read_text()) | {"data": "modelnet"}
    weights.with_suffix(".json").write_text(json.dumps(card))
    command = ("evaluate", "gradients", "--model", weights, "--clouds", 3, "--repeats", 1)
    result = said(capsys, *command, "--steps", 2, "--damping", 0.7)
    assert {*result["modes"]} == {"unrolled", "reversible", "phantom", "phantom-k", "implicit"}
    assert (result["clouds"], result["steps"], result["damping"]) == (3, 2, 0.7)
    for wrong in (["--damping", "1"], ["--model", str(shape_runs / "small-1/small.safetensors")]):
        assert main([*map(str, command), *wrong]) == 2
        assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("name", ["digits", "objects", "completion-digits"])
def test_doctor_tells_what_a_model_of_any_kind_lacks(capsys, name):
    result = said(capsys, "doctor", name, "--limit", 2, "--steps", 2)
    assert result["samples"] == 2 and len(result["advice"]) == 5
    assert 0 < result["distinct"] <= result["particles"] and result["spectral_radius"] >= 0


def test_doctor_has_no_use_for_what_solves_nothing(capsys):
    assert main(["doctor", "completion-digits-pcn"]) == 2
    assert "nothing to diagnose" in capsys.readouterr().err
