import io

import pytest
from rich.console import Console

from cinealign.cli.show.metrics import print_metrics
from tests.cli.show.printed import metrics_text
from tests.evaluation.test_metrics import example


def test_the_table_states_split_n_k_chance_and_both_ratios(capsys):
    metrics = example()
    text = metrics_text(metrics, "baseline")
    assert "baseline: N = 40 items, each query searches all of them; k = 2 (5 %), chance 0.050" in text
    heads = ("queries", "n", "top 5 %", "95 % interval", "top 50 %", "R@1", "R@5", "R@10", "median")
    assert all(head in text for head in heads)
    lines = [line.strip() for line in text.splitlines()]
    for direction, accuracy in (("poster to intro", "0.4000"), ("intro to poster", "0.3000")):
        rows = [line.split() for line in lines[lines.index(direction) + 1 :][:3]]
        assert rows[0][:3] == ["all", "40", accuracy]
        assert [row[:2] for row in rows[1:]] == [["train", "30"], ["held-out", "10"]]
        assert rows[0][6] == ("0.900" if direction == "poster to intro" else "0.800")
    assert "sum of both directions, all 40 items, top 5 %: 0.7000" in text
    assert "course score: 7.00 of 15" in text
    file = io.StringIO()
    corrected = {**example(), "transductive": {"csls": example()}}
    print_metrics(corrected, console=Console(file=file, width=100), course=False)
    assert "sum of both directions" in file.getvalue() and "course" not in file.getvalue()
    assert "held-out" in text
    assert "\x1b" not in text
    assert "…" not in text
    print_metrics(metrics, "baseline")
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == text.splitlines()


def test_a_narrow_table_loses_no_digit():
    text = metrics_text(example(), width=80)
    assert "…" not in text
    assert max(len(line) for line in text.splitlines()[:12]) <= 80
    rows = [line.split() for line in text.splitlines()]
    assert ["all", "40", "0.4000"] in [row[:3] for row in rows]


def test_transductive_results_are_a_table_of_their_own():
    text = metrics_text({**example(), "transductive": {"csls": example()}})
    assert text.count("sum of both directions") == 2
    assert "csls: transductive, looks at the other test items: N = 40" in text


@pytest.mark.parametrize("width", [80, 100, 120])
def test_no_column_vanishes_at_the_usual_widths(width):
    lines = metrics_text(example(), "baseline", width).splitlines()
    head = next(line for line in lines if line.lstrip().startswith("queries"))
    assert head.split()[-4:] == ["R@1", "R@5", "R@10", "median"]
    table = [line for line in lines if line.lstrip().startswith(("all", "train", "held-out ")) and " to " in line]
    assert len(table) >= 6 and all(len(line.split()) == 11 for line in table[:6])
    assert all(len(line) <= width for line in (head, *table[:6]))
