"""The reference outputs are complete: one for each file that this run saved."""

import pandas as pd

from claims import of_this_run, saved
from lesson.outputs import REFERENCE, outputs_folder

# Made by the commands beside the notebooks, such as `python train_best.py`.
BY_COMMAND = [
    REFERENCE / name
    for name in (
        "model_best.keras",
        "history_best.csv",
        "model_best.json",
        "best_seeds.csv",
        "dropout_control.csv",
        "dropout_seeds.csv",
        "overfitting_seeds.csv",
        "ablation.csv",
        "history_classic.csv",
        "model_classic.keras",
        "model_pretrained.keras",
        "remedies_seeds.csv",
        "transfer_seeds.csv",
    )
]


def kept(folder):
    """Names of the tables and models there; a search also leaves its database."""
    return {path.name for path in folder.glob("[!.]*") if path.suffix in {".csv", ".keras"}}


@of_this_run
def test_reference_has_what_the_notebooks_save():
    by_command = {path.name for path in BY_COMMAND if path.suffix != ".json"}
    assert kept(outputs_folder()) | by_command == kept(REFERENCE), "make reference"
    assert all(path.is_file() for path in BY_COMMAND)


@of_this_run
def test_reference_tables_have_the_columns_of_this_run():
    for path in REFERENCE.glob("[!.]*.csv"):
        if path in BY_COMMAND:
            continue
        ours, theirs = pd.read_csv(path), pd.read_csv(saved(path.name))
        assert list(ours.columns) == list(theirs.columns), path.name
