"""A statement as PDF: A4, a table over as many pages as it needs, the totals, and what a reader
can check it by.

The type is Open Sans, which holds every letter that a name can have here: names are GSM-7 from
the door on. A letter that it lacks, from books of another program, is folded to its bare one.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.resources import as_file, files

from fpdf import FPDF
from fpdf.enums import Align, XPos, YPos
from fpdf.fonts import TTFFont

from ussd_gateway.domain import gsm7
from ussd_gateway.domain.market import Market
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.statement import Statement
from ussd_gateway.papers.statement import check_code, sides

_TYPE = "Open Sans"
_FACES = {"": "OpenSans-Regular.ttf", "B": "OpenSans-SemiBold.ttf"}
_TITLE_PT, _TEXT_PT, _SMALL_PT = 16, 7.5, 6.5
_MARGIN_MM, _FOOT_MM, _ROW_MM = 14, 18, 5
# Cells have a little room at both sides of their text.
_PADDING_MM = 2
_INK, _GREY, _RULE, _STRIPE = 30, 110, 190, 246
# Headings, widths, and whether it is an amount.
_COLUMNS = (
    ("Time", 23, False),
    ("Receipt", 22, False),
    ("", 25, False),
    ("Other party", 43, False),
    ("In", 22, True),
    ("Out", 22, True),
    ("Balance", 25, True),
)

Row = tuple[str, ...]


def as_pdf(
    statement: Statement, market: Market, *, account_name: str, made_at_ms: int
) -> bytes:
    """The same octets for the same arguments."""
    paper = _Paper(statement, market, account_name, made_at_ms)
    paper.add_page()
    paper.summary()
    paper.entries()
    paper.waiting()
    paper.way_to_check()
    return bytes(paper.output())


class _Paper(FPDF):
    def __init__(
        self, statement: Statement, market: Market, account_name: str, made_at_ms: int
    ) -> None:
        super().__init__(format="A4")
        self._of = statement
        self._market = market
        self._account_name = account_name
        self._made_at_ms = made_at_ms
        self._in_table = False
        self.set_margins(_MARGIN_MM, _MARGIN_MM)
        self.set_auto_page_break(auto=True, margin=_FOOT_MM)
        with ExitStack() as unpacked:
            for style, name in _FACES.items():
                face = as_file(files("ttf_opensans") / "ttf" / name)
                self.add_font(_TYPE, style, unpacked.enter_context(face))
        self.set_title(f"Statement {statement.ref} {statement.first} to {statement.last}")
        self.set_creation_date(datetime.fromtimestamp(made_at_ms // 1000, UTC))

    def header(self) -> None:
        """Of each page: whose, and of when; so that no page stands alone."""
        self._ink(_TITLE_PT if self.page_no() == 1 else _TEXT_PT, bold=True)
        self._text(0, 8, "Statement")
        self._ink(_TEXT_PT, grey=self.page_no() > 1)
        of = self._of
        whose = "  ".join(part for part in (of.holder, of.ref) if part)
        self._text(0, 8, f"{whose}  {of.first} to {of.last}", align=Align.R)
        self._next_line(9)
        if self._in_table:
            self._headings()

    def footer(self) -> None:
        self.set_y(-_FOOT_MM + 6)
        self._ink(_SMALL_PT, grey=True)
        made = f"Made {self._market.written(self._made_at_ms)}, {self._market.zone.key}"
        self._text(self.epw / 2, 4, f"Page {self.page_no()} of {{nb}}")
        self._text(self.epw / 2, 4, made, align=Align.R)

    def summary(self) -> None:
        of = self._of
        self._ink(11, bold=True)
        self._text(0, 6, of.holder or "Our own account")
        self._next_line(6)
        self._ink(_TEXT_PT, grey=True)
        self._text(0, 4, f"{of.ref}, {self._account_name}. Amounts in {of.currency}.")
        self._next_line(8)
        figures = (
            ("Opening balance", of.opening),
            ("Paid in", of.paid_in),
            ("Paid out", of.paid_out),
            ("Closing balance", of.closing),
        )
        width = self.epw / len(figures)
        self._ink(_SMALL_PT, grey=True)
        for name, _ in figures:
            self._text(width, 4, name)
        self._next_line(4)
        self._ink(11, bold=True)
        for _, amount in figures:
            self._text(width, 6, str(amount))
        self._next_line(11)

    def entries(self) -> None:
        self._headings()
        self._in_table = True
        for number, row in enumerate(_rows(self._of, self._market)):
            self._row(row, striped=number % 2 == 1)
        if not self._of.lines:
            self._row(("", "", "No entries", "", "", "", ""))
        of = self._of
        totals = (of.paid_in.plain, of.paid_out.plain, of.closing.plain)
        self._rule()
        self._row(("", "", "Total", f"{len(of.lines)} entries", *totals), bold=True)
        self._in_table = False

    def waiting(self) -> None:
        """Apart from the entries: none of it is in a balance yet."""
        if not self._of.pending:
            return
        self._next_line(_ROW_MM)
        self._ink(_TEXT_PT, bold=True)
        self._text(0, 6, "Waiting, and in no balance yet")
        self._next_line(6)
        self._ink(_TEXT_PT)
        for one in self._of.pending:
            amount = Money(one.minor, self._of.currency)
            until = self._market.written(one.expires_at_ms)
            placed = self._market.written(one.placed_at_ms)
            self._text(0, _ROW_MM, f"{placed}   {one.words}   {amount}   until {until}")
            self._next_line(_ROW_MM)

    def way_to_check(self) -> None:
        of = self._of
        receipts = "No receipts."
        if of.lines:
            receipts = f"Receipts {of.lines[0].receipt} to {of.lines[-1].receipt}."
        said = (
            f"{receipts} {of.opening} + {of.paid_in} - {of.paid_out} = {of.closing}.",
            f"SHA-256 of this statement as CSV: {check_code(of, self._market)}",
        )
        self._next_line(_ROW_MM)
        self._ink(_SMALL_PT, grey=True)
        for line in said:
            self._text(0, 4, line)
            self._next_line(4)

    def _headings(self) -> None:
        self._ink(_SMALL_PT, grey=True)
        for name, width, is_amount in _COLUMNS:
            self._text(width, _ROW_MM, name, align=Align.R if is_amount else Align.L)
        self._next_line(_ROW_MM)
        self._rule()

    def _row(self, row: Row, *, striped: bool = False, bold: bool = False) -> None:
        # A page that is full ends before the row and not in the middle of it.
        if self.will_page_break(_ROW_MM):
            self.add_page()
        self._ink(_TEXT_PT, bold=bold)
        self.set_fill_color(_STRIPE)
        for text, (_, width, is_amount) in zip(row, _COLUMNS, strict=True):
            align = Align.R if is_amount else Align.L
            self._text(width, _ROW_MM, text, align=align, fill=striped)
        self._next_line(_ROW_MM)

    def _text(
        self,
        width_mm: float,
        height_mm: float,
        text: str,
        *,
        align: Align = Align.L,
        fill: bool = False,
    ) -> None:
        """Text that is too wide gets smaller type: nothing of it is cut off."""
        text = self._in_type(text)
        room_mm = (width_mm or self.epw) - _PADDING_MM
        size_pt = self.font_size_pt
        needed_mm = self.get_string_width(text)
        if needed_mm > room_mm:
            self.set_font_size(size_pt * room_mm / needed_mm)
        # A width of zero reaches to the margin, and leaves the place where it was.
        stays = XPos.LMARGIN if width_mm == 0 else XPos.RIGHT
        self.cell(
            width_mm, height_mm, text, align=align, fill=fill, new_x=stays, new_y=YPos.TOP
        )
        self.set_font_size(size_pt)

    def _in_type(self, text: str) -> str:
        """With no letter that the type has no picture of."""
        assert isinstance(self.current_font, TTFFont), "the type is our own"
        has = self.current_font.cmap
        return "".join(char if ord(char) in has else gsm7.fold(char) for char in text)

    def _ink(self, size_pt: float, *, bold: bool = False, grey: bool = False) -> None:
        self.set_font(_TYPE, "B" if bold else "", size_pt)
        self.set_text_color(_GREY if grey else _INK)

    def _rule(self) -> None:
        self.set_draw_color(_RULE)
        self.line(self.l_margin, self.y, self.l_margin + self.epw, self.y)

    def _next_line(self, height_mm: float) -> None:
        self.set_xy(self.l_margin, self.y + height_mm)


def _rows(statement: Statement, market: Market) -> Iterator[Row]:
    opening = ("", "", "Opening balance", "", "", "", statement.opening.plain)
    yield opening
    for line in statement.lines:
        came, went = (side.plain if side else "" for side in sides(line, statement.currency))
        balance = Money(line.balance_minor, statement.currency).plain
        said = (market.written(line.at_ms), line.receipt, line.words, line.other)
        yield (*said, came, went, balance)
