"""Equipment on paper and as lists: made when they are asked for, from what stands in the ledger at that moment."""

from __future__ import annotations

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exam_kit.clock import SystemClock
from exam_kit.errors import UsageError, m
from exam_kit.forms.equipment_handover import handover_sheet_pdf
from exam_kit.forms.equipment_list import equipment_csv, equipment_xlsx, template_csv, template_xlsx
from exam_kit.forms.equipment_state import consumables_pdf, defects_pdf
from exam_kit.forms.equipment_stocktake import stocktake_pdf
from exam_kit.journal.consumable import Consumables
from exam_kit.journal.equipment import Equipment
from exam_kit.journal.equipment_norms import load_norms
from exam_kit.journal.equipment_reserve import defects
from exam_kit.journal.equipment_takes import StockTakes
from exam_kit.store import Act
from exam_kit.web.desk import Desk, row_number, session_of, signed_in

__all__ = ["equipment_routes"]

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MEDIA = {"pdf": "application/pdf", "csv": "text/csv; charset=utf-8", "xlsx": XLSX}

Asked = dict[str, str]


def equipment_routes(desk: Desk) -> list[Route]:
    """`/papers/equipment….pdf` to look at, `.csv` and `.xlsx` to take along, in the reader's language."""
    makers: dict[str, Callable[[Desk, Asked, str], bytes]] = {
        "equipment-handover.pdf": _handover,
        "equipment-defects.pdf": _defects,
        "equipment-stocktake.pdf": _stocktake,
        "equipment-consumables.pdf": _consumables,
        "equipment.csv": _csv,
        "equipment.xlsx": _xlsx,
        "equipment-template.csv": lambda _desk, _asked, language: template_csv(language),
        "equipment-template.xlsx": _template,
    }

    def paper(name: str, make: Callable[[Desk, Asked, str], bytes]) -> Callable[[Request], object]:
        kind = name.rpartition(".")[2]
        shown = "inline" if kind == "pdf" else f'attachment; filename="{name}"'

        async def answer(request: Request) -> Response:
            signed_in(request, Act.VIEW)
            session = session_of(request.scope)
            language = session.language if session else "ru"
            content = await run_in_threadpool(make, desk, dict(request.query_params), language)
            return Response(content, media_type=MEDIA[kind], headers={"Content-Disposition": shown})

        return answer

    return [Route(f"/papers/{name}", paper(name, make)) for name, make in makers.items()]


def _book(desk: Desk) -> Equipment:
    return Equipment(desk.ledger, desk.point(), norms=load_norms(desk.home))


def _handover(desk: Desk, asked: Asked, language: str) -> bytes:
    book = _book(desk)
    sheet = book.sheet(_number(asked, "number"), _number(asked, "year"))
    return handover_sheet_pdf(book.point, sheet, book.norms, language, desk.ledger.signed_head())


def _defects(desk: Desk, _asked: Asked, language: str) -> bytes:
    book = _book(desk)
    today = SystemClock().now().astimezone(book.point.tz).date()
    items = defects(book.register())
    return defects_pdf(book.point, book.point.day(today), items, book.norms, language, desk.ledger.signed_head())


def _stocktake(desk: Desk, asked: Asked, language: str) -> bytes:
    book = _book(desk)
    takes = StockTakes(book)
    take = takes.get(_number(asked, "number"), _number(asked, "year"))
    return stocktake_pdf(book.point, takes.register_of(take), take, book.norms, language, desk.ledger.signed_head())


def _consumables(desk: Desk, _asked: Asked, language: str) -> bytes:
    point, norms = desk.point(), load_norms(desk.home)
    stock = Consumables(desk.ledger, point, norms=norms)
    head, basis = desk.ledger.signed_head(), stock.stock().basis
    return consumables_pdf(point, stock.lines(), basis, stock.rooms(), norms.margin, language, head)


def _csv(desk: Desk, _asked: Asked, language: str) -> bytes:
    book = _book(desk)
    return equipment_csv(list(book.register().items.values()), book.norms, language)


def _xlsx(desk: Desk, _asked: Asked, language: str) -> bytes:
    book = _book(desk)
    return equipment_xlsx(book.point, list(book.register().items.values()), book.norms, language)


def _template(desk: Desk, _asked: Asked, language: str) -> bytes:
    return template_xlsx(desk.point(), load_norms(desk.home), language)


def _number(asked: Asked, name: str) -> int:
    number = row_number(asked.get(name, ""))
    if number is None:
        raise UsageError(m("Document: there is no such document. Go back and choose it from the list."))
    return number
