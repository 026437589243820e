"""The benchmarks: what they compare is the same work, and their table is what was measured."""

import inspect
import json
import sys

import pytest

from notebook_files import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))

import cases
import run
import whole


def runs_of(*seconds, result=1):
    return [{"seconds": s, "megabytes": 100, "result": result} for s in seconds]


@pytest.mark.parametrize("key", cases.CASES)
def test_each_way_prepares_and_then_works(key):
    """A way without `yield` would be timed with its preparation."""
    case = cases.CASES[key]
    assert len(case.ways) >= 2 or key == "limit-03"
    for way in case.ways.values():
        assert inspect.isgeneratorfunction(way)
        assert len(inspect.signature(way).parameters) == bool(case.sizes)


def test_ratio_is_taken_within_a_turn():
    """The second turn was three times as slow for both."""
    rows = list(run.table({"textbook": runs_of(2, 6, 2), "ours": runs_of(1, 3, 0.5)}))
    assert rows[-1] == "| ours | 1 | 2 (2 to 4) | 100 |"
    assert rows[-2] == "| textbook | 2 |  | 100 |"


def test_ways_that_do_something_else_are_not_compared():
    case = cases.Case("a case", tolerance=0.01)
    run.compare("a", case, {"one": runs_of(1, result=100), "two": runs_of(1, result=100.5)})
    with pytest.raises(SystemExit, match="a: the ways do not do the same"):
        run.compare("a", case, {"one": runs_of(1, result=100), "two": runs_of(1, result=102)})


def test_exponent_tells_how_time_grows():
    rows = list(run.growth_table({"square": {"10": 1, "20": 4, "40": 16}}, "images"))
    assert rows[0] == "| way | 10 images | 20 images | 40 images | exponent |"
    assert rows[2] == "| square | 1 | 4 | 16 | 2.00 |"


def test_a_way_is_run_in_a_process_of_its_own():
    done = run.run_way("load-boston", "ours")
    assert 0 < done["seconds"] < 60
    assert 50 < done["megabytes"] < 5000
    assert done["result"] == run.run_way("load-boston", "ours")["result"]


def test_an_unknown_case_is_named(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["run.py", "load-iris"])
    with pytest.raises(SystemExit):
        run.main()
    assert "there is no case load-iris" in capsys.readouterr().err


def test_results_are_what_was_measured(tmp_path, monkeypatch):
    """RESULTS.md is written from results.json, and has every case that was measured."""
    stored = json.loads(run.STORED.read_text("utf-8"))
    assert set(stored) <= set(cases.CASES | whole.CASES)
    monkeypatch.setattr(run, "RESULTS", tmp_path / "RESULTS.md")
    run.write(stored)
    stored_page = (ROOT / "benchmarks" / "RESULTS.md").read_text("utf-8")
    assert (tmp_path / "RESULTS.md").read_text("utf-8") == stored_page
