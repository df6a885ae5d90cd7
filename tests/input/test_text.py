"""Tables of numbers as other programs write them: which columns are used, and what is said."""

import codecs

import numpy as np
import pytest

from ddeq.errors import UserError
from ddeq.input.clouds import read_cloud, read_file
from tests.sentences import assert_one_sentence

POINTS = np.random.default_rng(0).normal(size=(40, 3)).round(4)


def table(points=POINTS, separator=",", heading="", end="", decimal="."):
    rows = [separator.join(map(str, row)).replace(".", decimal) + end for row in points.tolist()]
    return "\n".join([heading] * bool(heading) + rows)


WIDE = np.hstack([POINTS, np.arange(120).reshape(40, 3)])
COUNTED = np.hstack([np.arange(40)[:, None], POINTS])
MIRRORED = POINTS[:, ::-1]
D_ROWS = "\n".join(" ".join(f"{x:.10E}".replace("E", "D") for x in row) for row in POINTS)
QUOTED = table().replace("\n", '"\n"').replace(",", '","')
MARKDOWN = "\n".join(f"| {' | '.join(map(str, row))} |" for row in POINTS.tolist())
SCANS = f"15\n{table(POINTS[:15], ' ')}\n25\n{table(POINTS[15:], ' ')}\n"
UPSIDE = "\n".join(f"{i + 1},{line}" for i, line in enumerate(table().split("\n")))

READABLE = {
    "a heading behind slashes": ("a.txt", table(WIDE, " ", "//X Y Z R G B")),
    "a heading behind slashes, and a count": ("a.txt", table(WIDE, ";", "//X;Y;Z;R;G;B\n40")),
    "units in round brackets": ("a.csv", table(heading="X (m),Y (m),Z (m)")),
    "units in square brackets": ("a.csv", table(heading="x [mm],y [mm],z [mm]")),
    "units behind the names": ("a.csv", table(heading="x_m,y_m,z_m")),
    "positions": ("a.csv", table(heading="pos_x,pos_y,pos_z")),
    "p": ("a.txt", table(WIDE, " ", "px py pz vx vy vz")),
    "points of ParaView": ("a.csv", table(heading='"Points:0","Points:1","Points:2"')),
    "coordinates": ("a.csv", table(heading="X Coordinate;Y Coordinate;Z Coordinate")),
    "surveyors' words": ("a.csv", table(heading="Easting,Northing,Elevation")),
    "another order": ("a.csv", table(MIRRORED, heading="z [m],y [m],x [m]")),
    "another order behind a sign": ("a.txt", table(MIRRORED, " ", "# z y x")),
    "y by another name": ("a.csv", table(heading="x,height,z")),
    "names of the first columns": ("a.txt", table(WIDE, " ", "# x y z")),
    "numbered rows, as R writes them": ("a.csv", f'"x","y","z"\n{UPSIDE}'),
    "numbered rows without a heading": ("a.xyz", table(COUNTED, " ")),
    "a heading and a line of units": ("a.csv", table(heading="x,y,z\nm,m,m")),
    "words above": ("a.txt", table(separator=" ", heading="Scan 3 of 5 by a\nlaser\n\nx y z")),
    "words in front": ("a.xyz", table(separator=" ").replace("\n", "\nC ").join(["C ", ""])),
    "a count": ("a.xyz", table(separator=" ", heading="40")),
    "a count and a comment": ("a.xyz", table(separator=" ", heading="40\nmade by hand")),
    "several scans": ("a.pts", SCANS),
    "tabs and decimal commas": ("a.txt", table(separator="\t", decimal=",")),
    "spaces and decimal commas": ("a.txt", table(separator="  ", decimal=",")),
    "semicolons and decimal commas": ("a.csv", table(separator=";", decimal=",")),
    "bars": ("a.txt", MARKDOWN),
    "a separator at the end": ("a.xyz", table(end=",")),
    "two separators": ("a.csv", table(separator=";;")),
    "quotes": ("a.csv", f'"x","y","z"\n"{QUOTED}"'),
    "single quotes": ("a.csv", f'"{QUOTED}"'.replace('"', "'")),
    "Fortran's exponents": ("a.txt", D_ROWS),
    **{
        f"comments behind {sign}": (
            "a.txt",
            f"{sign} made by hand\n{table(separator=' ')}\n{sign} 1 2 3 ends",
        )
        for sign in ("#", "//", "%", "!", ";", "--", "*", "@", "$")
    },
    "comments behind the numbers": ("a.txt", table(separator=" ", end=" // 1")),
    "normals of ModelNet": ("a.txt", table(WIDE)),
    "an end of file of old": ("a.txt", table(separator=" ") + "\n\x1a"),
    "asc": ("a.asc", table(WIDE, " ")),
}


@pytest.mark.parametrize(("name", "content"), READABLE.values(), ids=READABLE)
def test_tables_of_other_programs_are_read(name, content):
    reading = read_file(content.encode(), name)
    np.testing.assert_array_equal(reading.cloud.points, POINTS)


@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
def test_tables_of_any_encoding_are_read(encoding):
    content = table(heading="# at 20 °C\nx,y,z").encode(encoding)
    np.testing.assert_array_equal(read_cloud(content, "a.csv").points, POINTS)


def test_utf_16_that_begins_with_its_mark_is_read():
    content = codecs.BOM_UTF16_BE + table().encode("utf-16-be")
    np.testing.assert_array_equal(read_cloud(content, "a.csv").points, POINTS)


@pytest.mark.parametrize(
    ("content", "notes"),
    [
        (table(), ()),
        (table(heading="x,y,z"), ()),
        (table(heading="X,Y,Z"), ()),
        (table(heading="z,y,x"), ()),
        (
            table(heading="x,height,z"),
            ("Used as x, y and z: the columns 'x', 'height', 'z'.",),
        ),
        (
            table(WIDE, heading="x,y,z,red,green,blue"),
            (
                "Used as x, y and z: the columns 'x', 'y', 'z'.",
                "Left out: 'red', 'green', 'blue'.",
            ),
        ),
        (
            table(heading="x,y,label"),
            ("Used as x and y: the columns 'x', 'y'.", "Left out: 'label'."),
        ),
        (table(heading="a,b,c"), ("Used as x, y and z: the columns 'a', 'b', 'c'.",)),
        (table(COUNTED), ("Columns 2, 3, 4 are used as x, y and z, the first counts the points.",)),
        (SCANS, ("Its 2 scans are joined into one.",)),
        (table(WIDE), ("Its columns after the third are ignored.",)),
        (
            table(heading="lon (deg),lat (deg),alt (m)"),
            (
                "Used as x, y and z: the columns 'lon (deg)', 'lat (deg)', 'alt (m)'.",
                "Its columns have different units: degrees, degrees, m.",
            ),
        ),
    ],
)
def test_the_notes_say_which_columns_are_used(content, notes):
    assert read_file(content.encode(), "a.csv").notes == notes


@pytest.mark.parametrize(
    ("heading", "unit"),
    [("X (m),Y (m),Z (m)", "m"), ("x_mm,y_mm,z_mm", "mm"), ("x,y,z", None), ("x [a],y,z", None)],
)
def test_a_heading_may_declare_the_unit(heading, unit):
    assert read_file(table(heading=heading).encode(), "a.csv").units == unit


@pytest.mark.parametrize("missing", ["nan", "NaN", "-nan(ind)", "1.#QNAN", "inf", "N/A", "null"])
def test_rows_without_coordinates_are_left_out_and_a_note_says_so(missing):
    content = table(separator=" ") + f"\n{missing} {missing} {missing}\n0 1 {missing}\n"
    reading = read_file(content.encode(), "a.xyz")
    np.testing.assert_array_equal(reading.cloud.points, POINTS)
    note = "2 of 42 points have no coordinates (NaN or infinite) and are left out."
    assert reading.notes == (note,)


REFUSED = {
    "a heading of other columns": (table(heading="a,b,x,y"), "names 4 columns but"),
    "z without y": (table(WIDE, heading="x,z,a,b,c,d"), "names no column y"),
    "words below a name": (
        table(heading="x,y,z,name").replace("\n", ",a\n"),
        "heading",
    ),
    "fewer points than counted": (table(heading="41"), "ends before"),
    "more points than counted": (table(heading="39"), "does not hold as many"),
    "a scan of fewer points": (SCANS.replace("25\n", "26\n"), "ends before"),
    "an empty cell": (table() + "\n1,,2", "'1,,2'"),
    "a word in the last line": (table() + "\n1,two,3", "'1,two,3'"),
    "a long line": (table() + "\n1,2,3,4", "'1,2,3,4'"),
    "a long first line": ("1,2,3,4\n" + table(), "1,2,3,4"),
}


@pytest.mark.parametrize(("content", "part"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_with_a_table_is_said(content, part):
    with pytest.raises(UserError) as error:
        read_cloud(content.encode(), "a.csv")
    assert_one_sentence(error)
    assert part in str(error.value)
