from hypothesis import given
from hypothesis import strategies as st

from cinealign.views.intro.shortest_first import shortest_first


def test_short_texts_come_first_and_every_text_is_found_again() -> None:
    texts = ["three words long", "", "bb", "aa", "three words long"]
    ordered, places = shortest_first(texts)
    assert ordered == ["", "aa", "bb", "three words long", "three words long"]
    assert places == [3, 0, 2, 1, 4]


@given(st.lists(st.text(max_size=4)))
def test_the_batches_do_not_depend_on_the_order_at_hand(texts: list[str]) -> None:
    ordered, places = shortest_first(texts)
    assert [ordered[place] for place in places] == texts
    assert sorted(places) == list(range(len(texts)))
    assert shortest_first(texts[::-1])[0] == ordered
