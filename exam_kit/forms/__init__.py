"""The same facts on paper: PDF forms in the published columns, and CSV for spreadsheets."""

from exam_kit.forms.access_log import access_log_pdf
from exam_kit.forms.exports import export_day
from exam_kit.forms.handover import handover_act_pdf
from exam_kit.forms.incident import incident_pdf
from exam_kit.forms.protocol import check_protocol_pdf
from exam_kit.forms.room_calls import room_calls_pdf

__all__ = ["access_log_pdf", "check_protocol_pdf", "export_day", "handover_act_pdf", "incident_pdf", "room_calls_pdf"]
