"""The demo's equipment and consumables: made-up numbers, one kind without a reserve, one item that is faulty."""

from __future__ import annotations

from exam_kit.home import Home
from exam_kit.journal.consumable import Consumables
from exam_kit.journal.equipment import Equipment
from exam_kit.journal.equipment_item import ItemDraft
from exam_kit.journal.equipment_norms import load_norms
from exam_kit.journal.person import AGENT
from exam_kit.point import Point
from exam_kit.store import Ledger

__all__ = ["make_equipment"]

ITEMS = (
    ItemDraft("ДЕМО-001", "authorisation_station", "D-1001", "ноутбук 15", "7777", linked="AUTH-1"),
    ItemDraft("ДЕМО-002", "print_station", "D-1002", "системный блок", "0001", linked="PRINT-1"),
    ItemDraft("ДЕМО-003", "print_station", "D-1003", "системный блок", "0002", linked="PRINT-2"),
    ItemDraft("ДЕМО-004", "print_station", "D-1004", "ноутбук 15", "7777", state="spare"),
    ItemDraft("ДЕМО-005", "scan_station", "D-1005", "системный блок", "7777", linked="SCAN-1"),
    ItemDraft("ДЕМО-006", "printer", "D-2001", "лазерный А4", "0001"),
    ItemDraft("ДЕМО-007", "printer", "D-2002", "лазерный А4", "0002"),
    ItemDraft("ДЕМО-008", "printer", "D-2003", "лазерный А4", "7777", state="spare"),
    ItemDraft("ДЕМО-009", "camera", "D-3001", "купольная", "0001", linked="R1-1"),
    ItemDraft("ДЕМО-010", "camera", "D-3002", "купольная", "0002", linked="R2-1"),
    ItemDraft("ДЕМО-011", "camera", "D-3003", "купольная", "7777", state="spare"),
    ItemDraft("ДЕМО-012", "token", "D-4001", "ключ члена ГЭК", "7777"),
    ItemDraft("ДЕМО-013", "ups", "D-5001", "800 ВА", "7777"),
    ItemDraft("ДЕМО-014", "scanner", "D-6001", "протяжной А4", "7777", state="faulty", remark="полосы на снимке"),
)
STOCK = (
    ("paper", 12),
    ("toner", 4),
    ("seal", 20),
    ("flash_drive", 2),
    ("memory_card", 2),
    ("cable", 4),
    ("envelope", 10),
)
CANDIDATES = 60


def make_equipment(home: Home, point: Point, ledger: Ledger) -> None:
    """Enter it once; a register that has anything in it is left as it is."""
    norms = load_norms(home)
    book, stock = Equipment(ledger, point, norms=norms), Consumables(ledger, point, norms=norms)
    if book.register().items:
        return
    with ledger.store.transaction():
        for draft in ITEMS:
            book.add(draft, AGENT)
        for code, quantity in STOCK:
            stock.receive(code, quantity, "демонстрация", AGENT)
        stock.set_basis(CANDIDATES, AGENT)
