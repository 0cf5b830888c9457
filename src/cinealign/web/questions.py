"""What a page or a program asks: one model for the address of a page, the API's query and its JSON body."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from cinealign.data.posters import Poster
from cinealign.errors import DataError
from cinealign.search.query import Part
from cinealign.web.settings import MOST, PAGE

SIDES = ("poster", "intro", "both")


def sound(text: str) -> str:
    """A text that can be written down: no halves of letters, no zero bytes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("holds a half of a letter (a lone surrogate)") from None
    if "\0" in text:
        raise ValueError("holds a zero byte")
    return text


def _or_none(given: Any) -> Any:
    """What an empty field of a form means."""
    return None if given == "" else given


def _filled(given: Any) -> Any:
    """Without the empty fields of a form."""
    if isinstance(given, str):
        given = [given]
    return [one for one in given if one != ""] if isinstance(given, list) else given


Words = Annotated[str, AfterValidator(sound), Field(max_length=20_000)]
Name = Annotated[str, AfterValidator(sound), Field(min_length=1, max_length=500)]
Names = Annotated[list[Name], BeforeValidator(_filled), Field(max_length=20)]
Year = Annotated[Annotated[int, Field(ge=0, le=9999)] | None, BeforeValidator(_or_none)]


class Question(BaseModel):
    """A search.

    Attributes:
        text: what to look for.
        like: items to be like, by id; ":poster" or ":intro" behind the id takes one side of it.
        plus, minus: texts to be more like, and less like.
        more, less: items to be more like, and less like.
        side: what is looked for; intros for a picture and posters for anything else where absent.
        genre, year_from, year_to, title, split, where: filters; `where` holds "COLUMN=VALUE".
        limit, offset: the page.
    """

    model_config = ConfigDict(extra="forbid")

    text: Words = Field("", description="What to look for.")
    like: Names = Field([], description="Items to be like, by id; ID:poster or ID:intro for one side of it.")
    plus: Names = Field([], description="More like these texts.")
    minus: Names = Field([], description="Less like these texts.")
    more: Names = Field([], description="More like these items, by id.")
    less: Names = Field([], description="Less like these items, by id.")
    side: Annotated[Literal["poster", "intro", "both"] | None, BeforeValidator(_or_none)] = Field(
        None, description="What is looked for; intros for a picture, else posters, if absent."
    )
    genre: Names = Field([], description="Only these genres.")
    year_from: Year = Field(None, description="Only items of this year or later.")
    year_to: Year = Field(None, description="Only items of this year or earlier.")
    title: Annotated[Words, Field(max_length=500)] = Field("", description="Only titles that hold this text.")
    split: Annotated[Literal["train", "held_out", "added"] | None, BeforeValidator(_or_none)] = Field(
        None, description="Only these items."
    )
    where: Names = Field([], description="Only items whose column holds a value: COLUMN=VALUE.")
    limit: Annotated[int, Field(ge=1, le=MOST)] = Field(PAGE, description="Hits a page.")
    offset: Annotated[int, Field(ge=0, le=9_000)] = Field(0, description="Hits to pass over.")

    def parts(self, picture: Poster | None = None) -> tuple[Part, ...]:
        """What is asked, without filters. A text is always a text here: nothing that is sent names a file."""
        parts = [Part("text", self.text)] if self.text.strip() else []
        parts += [Part("image", picture)] if picture is not None else []
        parts += [Part("like", one) for one in self.like]
        for texts, items, sign in ((self.plus, self.more, 1), (self.minus, self.less, -1)):
            parts += [Part("text", one, sign) for one in texts if one.strip()]
            parts += [Part("like", one, sign) for one in items]
        return tuple(parts)

    def texts(self) -> list[str]:
        """What the model will have to read."""
        return [str(part.value) for part in self.parts() if part.kind == "text"]

    def filters(self) -> dict[str, Any]:
        """As `Index.search` takes them.

        Raises:
            DataError: a filter by column that is none.
        """
        found: dict[str, Any] = {}
        for given in self.where:
            column, equals, value = given.partition("=")
            if not equals or not column or not value:
                raise DataError(f"where {given!r}: expected COLUMN=VALUE, such as directors=Akira Kurosawa")
            if column in ("year", "title"):
                raise DataError(f"where {given!r}: there are parameters of their own for year and title")
            found.setdefault(column, []).append(value)
        if self.genre:
            found["genre"] = self.genre
        if self.year_from is not None or self.year_to is not None:
            found["year"] = (self.year_from, self.year_to)
        if self.title:
            found["title"] = self.title
        if self.split is not None:
            found["split"] = self.split
        return found

    def asks(self) -> bool:
        """Whether it asks for anything besides filters and things to be unlike."""
        return any(part.sign > 0 for part in self.parts())

    def narrows(self) -> bool:
        """Whether a filter is set."""
        return any(
            (self.genre, self.year_from is not None, self.year_to is not None, self.title, self.split, self.where)
        )

    def address(self, **changed: Any) -> str:
        """The query string of the page that asks this, with some fields changed; what is as usual is left out."""
        usual = Question().model_dump()
        values = {**self.model_dump(), **changed}
        pairs = [(name, value) for name, value in values.items() if value != usual[name]]
        return urlencode(pairs, doseq=True)

    def without(self, name: str, value: str) -> str:
        """The address with one value of a list taken away, from the first hit on."""
        kept = list(getattr(self, name))
        kept.remove(value)
        return self.address(**{name: kept}, offset=0)

    def beside(self, name: str, value: str) -> str:
        """The address with one more value in a list, from the first hit on."""
        given = getattr(self, name)
        return self.address(**{name: [*given, value] if value not in given else given}, offset=0)
