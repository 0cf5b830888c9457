from __future__ import annotations

import pytest

from cinealign.data.languages import NO_LETTER, function_words, language_of, languages_of

TEXTS = {
    "English": "A young man discovers that his father is not who he believed him to be.",
    "French": "Un jeune homme découvre que son père n'est pas celui qu'il croyait.",
    "German": "Zwei Schwestern treffen sich nach zwanzig Jahren wieder und müssen sich der Vergangenheit stellen.",
    "Spanish": "Un joven descubre que su padre no es quien creía y viaja por el país para encontrarlo.",
    "Italian": "Un giovane scopre che suo padre non è chi credeva e parte alla sua ricerca.",
    "Portuguese": "Um jovem descobre que o pai não é quem ele pensava e viaja pelo país.",
    "Dutch": "Een jonge man ontdekt dat zijn vader niet is wie hij dacht.",
    "Swedish": "En ung man upptäcker att hans far inte är den han trodde.",
    "Danish": "En ung mand opdager, at hans far ikke er den, han troede.",
    "Polish": "Młody mężczyzna odkrywa, że jego ojciec nie jest tym, za kogo go uważał.",
    "Turkish": "Genç bir adam babasının sandığı kişi olmadığını öğrenir ve onu bulmak için yola çıkar.",
    "Indonesian": "Seorang pemuda menemukan bahwa ayahnya bukan orang yang dia kira dan pergi untuk mencarinya.",
    "Russian": "Молодой человек узнаёт, что его отец не тот, за кого он себя выдавал.",
    "Ukrainian": "Молодий чоловік дізнається, що його батько не той, за кого він його вважав.",
    "Chinese": "一个年轻人发现他的父亲并不是他所认识的那个人。",
    "Japanese": "若い男は、父親が自分の思っていた人物ではないことを知る。",
    "Korean": "한 젊은이가 아버지가 자신이 알던 사람이 아님을 알게 된다.",
    "Greek": "Ένας νέος ανακαλύπτει την αλήθεια για τον πατέρα του.",
}


@pytest.mark.parametrize("language", TEXTS)
def test_a_sentence_is_enough(language: str) -> None:
    assert language_of(TEXTS[language]) == language


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", NO_LETTER),
        ("1984 ... !", NO_LETTER),
        ("Peanuts", "unclear (Latin)"),
        ("Bewegte Mann, Maybe", "unclear (Latin)"),
        ("Това добро", "unclear (Cyrillic)"),
        ("Dos hermanas", "unclear (Latin)"),
    ],
)
def test_too_little_to_go_by_is_said(text: str, said: str) -> None:
    assert language_of(text) == said


def test_every_language_of_the_list_is_tested() -> None:
    assert set(function_words()) <= set(TEXTS)
    assert all(len(words) >= 20 for words in function_words().values())


def test_languages_are_counted() -> None:
    assert languages_of([TEXTS["English"], TEXTS["Chinese"], TEXTS["English"]]) == {"English": 2, "Chinese": 1}
