import numpy as np
import pytest

import cinealign.evaluation.transductive as transductive
from cinealign.errors import ConfigError
from cinealign.evaluation.metrics import evaluate_distances, evaluate_vectors
from cinealign.evaluation.transductive import evaluate_transductive


@pytest.fixture
def vectors():
    generator = np.random.default_rng(0)
    poster = generator.normal(size=(40, 5)).astype(np.float32)
    return poster, (poster + generator.normal(size=(40, 5))).astype(np.float32)


def test_rows_have_the_keys_of_the_headline_and_names_do_not_clash(vectors):
    poster, intro = vectors
    ids, train = np.arange(40), np.arange(20)
    asked = [{"correction": "csls", "k": 3}, {"correction": "sinkhorn"}, {"correction": "csls", "k": 5}]
    found = evaluate_transductive(poster, intro, ids, train, asked, samples=100)
    assert list(found) == ["csls", "sinkhorn", "csls 2"]
    headline = evaluate_vectors(poster, intro, ids, train, samples=100)
    plain = evaluate_distances(1 - poster @ intro.T, ids, train, samples=100)
    assert set(found["csls"]) == set(headline) == set(plain)


def test_its_size_is_announced(vectors, capsys, monkeypatch):
    monkeypatch.setattr(transductive, "ANNOUNCED_BYTES", 100)
    evaluate_transductive(*vectors, np.arange(40), np.arange(20), [{"correction": "csls"}], samples=100)
    assert "transductive rows: 40 x 40 similarities at once" in capsys.readouterr().err
    with pytest.raises(ConfigError, match=r"unknown key 'kk' in transductive; did you mean 'k'\?"):
        evaluate_transductive(*vectors, np.arange(40), np.arange(20), [{"correction": "csls", "kk": 1}])
