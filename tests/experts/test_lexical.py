from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from cinealign.experts.base import TrainingSet
from cinealign.experts.lexical import LexicalExpert, LexicalOptions
from cinealign.experts.ngram_counts import ngram_analyzer

CHINESE = ["红色的鲨鱼吃掉小镇", "两个律师相爱", "玩具总动员与太空骑警", "银行大劫案", "鲨鱼回来了", "太空里的爱情"]


def texts(*given: str) -> np.ndarray:
    return np.array(given, dtype=object)


def fitted(intros: list[str], **options: int) -> LexicalExpert:
    side = {"words": texts(*intros)}
    expert = LexicalExpert(LexicalOptions.model_validate({"poster": "words", "intro": "words", **options}))
    return expert.fit(TrainingSet(poster=side, intro=side, size=len(intros)), seed=0)


@pytest.mark.parametrize("lengths", [(4, 4), (2, 5)])
def test_words_with_blanks_give_what_scikit_learn_gives(lengths: tuple[int, int]) -> None:
    plain = CountVectorizer(analyzer="char_wb", ngram_range=lengths).build_analyzer()
    for text in ("the warlords of a café, 1995!", "", "é", "чужой на корабле"):
        assert ngram_analyzer(lengths)(text) == list(plain(text))


def test_chinese_gives_letters_and_pairs() -> None:
    assert ngram_analyzer((4, 4))("爱 红鲨鱼 film") == [" fil", "film", "ilm ", "爱", "红", "鲨", "鱼", "红鲨", "鲨鱼"]


def test_chinese_titles_find_their_texts() -> None:
    expert = fitted(CHINESE, min_df=1)
    intro = expert.encode_intro({"words": texts(*CHINESE)})
    posters = expert.encode_poster({"words": texts("鲨鱼小镇", "律师", "玩具", "劫案 2", "回来", "爱情")})
    assert (posters @ intro.T).argmax(axis=1).tolist() == list(range(6))
    np.testing.assert_allclose(np.linalg.norm(intro, axis=1), 1, atol=1e-6)


def test_copies_fitted_on_other_intros_share_a_space() -> None:
    one, other = fitted(CHINESE[:4], min_df=1), fitted(CHINESE[3:], min_df=1)
    shared = "劫案"  # in the fourth text, which both were fitted on
    first, second = (expert.encode_poster({"words": texts(shared)}) for expert in (one, other))
    assert first.shape == second.shape == (1, 4096)
    np.testing.assert_array_equal(first != 0, second != 0)
    assert LexicalExpert.one_space and (first @ second.T)[0, 0] > 0.99
