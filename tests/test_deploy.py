"""What is deployed names what is there, and asks for no more rights than it needs."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def copied() -> list[str]:
    lines = re.findall(r"^COPY (.+) \S+$", DOCKERFILE, re.MULTILINE)
    return [name for line in lines for name in line.split()]


def test_what_is_copied_into_the_image_is_there_and_not_ignored():
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[0] == "*" and copied()
    for name in copied():
        assert (ROOT / name).exists(), name
        assert f"!{name}" in ignored, name


def test_the_image_has_all_that_the_wheel_ships():
    """What a wheel takes from the top of the tree, the app needs in a container as well."""
    shipped = tomllib.loads((ROOT / "pyproject.toml").read_text())
    text = str(shipped["tool"])
    for name in ("assets", "recipes", "pages"):
        assert name in text and name in copied()


def test_the_image_is_run_by_a_user_without_rights_and_looked_after():
    assert re.search(r"^USER (?!root)", DOCKERFILE, re.MULTILINE)
    assert "/_stcore/health" in DOCKERFILE
    assert DOCKERFILE.rindex("RUN pip") < DOCKERFILE.index("COPY ddeq")  # a change rebuilds little


def test_the_service_may_write_nowhere_but_in_memory():
    [app] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"].values()
    assert app["read_only"] and app["cap_drop"] == ["ALL"]
    assert app["mem_limit"] and app["pids_limit"]
    assert any(place.startswith("/tmp") for place in app["tmpfs"])
    assert "volumes" not in app and "privileged" not in app
    assert int(app["environment"]["DDEQ_SOLVES"]) >= 1


def test_a_space_says_where_the_app_answers():
    head = (ROOT / "deploy/space/README.md").read_text().split("---")[1]
    space = yaml.safe_load(head)
    assert space["sdk"] == "docker"
    assert f"EXPOSE {space['app_port']}" in DOCKERFILE
    assert len(space["short_description"]) <= 60


@pytest.mark.parametrize("page", ["deploy/README.md", "deploy/space/README.md"])
def test_links_lead_somewhere(page):
    path = ROOT / page
    for target in re.findall(r"\]\((?!http)([^)]+)\)", path.read_text()):
        assert (path.parent / target).exists()
