"""The reference outputs are complete: one for each file that this run saved."""

import pandas as pd
from claims import saved
from lesson.outputs import REFERENCE, outputs_folder


def test_reference_has_what_the_notebooks_save():
    run = {path.name for path in outputs_folder().glob("[!.]*")}
    reference = {path.name for path in REFERENCE.glob("[!.]*")}
    assert run == reference, "make reference"


def test_reference_tables_have_the_columns_of_this_run():
    for path in REFERENCE.glob("[!.]*.csv"):
        ours, theirs = pd.read_csv(path), pd.read_csv(saved(path.name))
        assert list(ours.columns) == list(theirs.columns), path.name
