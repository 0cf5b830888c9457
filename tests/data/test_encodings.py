"""Encodings of text files are told, or refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from cinealign.data.encodings import find_encoding
from cinealign.data.tables import read_table
from cinealign.errors import DataError

TEXTS = {
    "French": "Une forêt enchantée près de la mer, où l'été dure; un garçon naïf découvre l'âme de sa mère.",
    "German": "Ein junger Mann kehrt zurück nach München und findet das große Glück, früher als gedacht.",
    "Polish": "Młody żeglarz wraca do domu i znajduje list, który zmienia wszystko, a także miłość życia.",
    "Czech": "Mladý námořník se vrací domů a nachází dopis, který všechno změní; příběh o lásce a ztrátě.",
    "Hungarian": "Egy fiatal tengerész hazatér, és levelet talál, amely mindent megváltoztat; őrült idők, hű szívek.",
    "Turkish": "Genç bir denizci eve döner ve her şeyi değiştiren bir mektup bulur; aşk ve ölüm öyküsü. İstanbul.",
    "Russian": "Молодой моряк возвращается домой и находит письмо, которое меняет всё.",
    "Greek": "Ένας νεαρός ναυτικός επιστρέφει σπίτι και βρίσκει ένα γράμμα που αλλάζει τα πάντα.",
    "Hebrew": "מלח צעיר חוזר הביתה ומוצא מכתב שמשנה הכול.",
    "Arabic": "بحار شاب يعود إلى منزله ويجد رسالة تغير كل شيء.",
    "Thai": "กะลาสีหนุ่มกลับบ้านและพบจดหมายที่เปลี่ยนทุกอย่าง",
    "Chinese": "一个年轻的水手回到家乡，发现了一封改变一切的信。",
    "Taiwanese": "一個年輕的水手回到家鄉，發現了一封改變一切的信。",
    "Japanese": "若い船乗りが家に帰り、すべてを変える手紙を見つける。",
    "Korean": "젊은 선원이 집으로 돌아와 모든 것을 바꾸는 편지를 발견한다.",
}
LEGACY = {
    "French": ("cp1252", "mac_roman", "cp850"),
    "German": ("cp1252", "mac_roman", "cp850"),
    "Polish": ("cp1250", "iso8859_2"),
    "Czech": ("cp1250", "iso8859_2"),
    "Hungarian": ("cp1250", "iso8859_2"),
    "Turkish": ("cp1254",),
    "Russian": ("cp1251", "koi8_r", "cp866", "iso8859_5"),
    "Greek": ("cp1253",),
    "Hebrew": ("cp1255",),
    "Arabic": ("cp1256",),
    "Thai": ("cp874",),
    "Chinese": ("gb18030",),
    "Taiwanese": ("big5", "gb18030"),
    "Japanese": ("cp932", "euc_jp", "iso2022_jp"),
    "Korean": ("cp949",),
}


def table(text: str, rows: int) -> str:
    lines = [f'{i},pictures/{i}.jpg,Story {i},"{text} {i}"' for i in range(rows)]
    return "\r\n".join(["id,picture,title,description", *lines]) + "\r\n"


@pytest.mark.parametrize(
    ("language", "encoding"),
    [(name, each) for name in TEXTS for each in ("utf-8", "utf-8-sig", "utf-16")]
    + [(name, each) for name in TEXTS for each in ("utf-16-le", "utf-16-be", *LEGACY[name])],
)
def test_a_table_is_read_in_its_encoding(tmp_path: Path, language: str, encoding: str) -> None:
    path, text = tmp_path / "info.csv", table(TEXTS[language], 40)
    path.write_bytes(text.encode(encoding))
    assert [row.cells[3] for row in read_table(path).rows] == [f"{TEXTS[language]} {i}" for i in range(40)]


@pytest.mark.parametrize(("language", "encoding"), [(name, each) for name in LEGACY for each in LEGACY[name]])
def test_one_sentence_is_told_or_refused(tmp_path: Path, language: str, encoding: str) -> None:
    path, content = tmp_path / "t.csv", table(TEXTS[language], 1).encode(encoding)
    path.write_bytes(content)
    try:
        assert content.decode(find_encoding(path)) == content.decode(encoding)
    except DataError as refused:
        assert "--encoding" in str(refused)


def test_a_few_accents_are_western(tmp_path: Path) -> None:
    plain = "The quiet town by the river wakes up to a strange noise, and nobody knows why. " * 20
    (tmp_path / "t.csv").write_bytes(f"{plain}Les Misérables, Amélie. {plain}".encode("latin-1"))
    assert find_encoding(tmp_path / "t.csv") == "latin-1"
    (tmp_path / "t.csv").write_bytes(f"{plain}“Amélie” – a story…".encode("cp1252"))
    assert find_encoding(tmp_path / "t.csv") == "cp1252"


@pytest.mark.parametrize("damage", [b"\xe9", b"\xff", b"\xc3", b"\xed\xa0\x80"])
def test_damaged_utf8_is_refused_with_its_line(tmp_path: Path, damage: bytes) -> None:
    lines = [f"{i},été à la forêt numéro {i}".encode() for i in range(20)]
    lines[12] = lines[12][:8] + damage + b" " + lines[12][8:]
    (tmp_path / "t.csv").write_bytes(b"\n".join(lines))
    with pytest.raises(
        DataError, match=rf"t\.csv line 13, byte \d+ \(0x{damage[0]:02x}\): damaged, as the file is UTF-8"
    ):
        find_encoding(tmp_path / "t.csv")


def test_a_cut_last_letter_is_damage(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("id,text\n1,\u82b1\u6c34\u624b\u4fe1".encode()[:-1])
    with pytest.raises(DataError, match="line 2, byte 12"):
        find_encoding(tmp_path / "t.csv")


def test_what_no_language_writes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(bytes(range(0x80, 0x100)) * 3)
    with pytest.raises(DataError, match="is not UTF-8, and which encoding it is in cannot be told; save it as UTF-8"):
        find_encoding(tmp_path / "t.csv")
