"""The report of a run: one self-contained page that a person can read, print, send and defend."""

from services.report.page import report_html, write_report

__all__ = ["report_html", "write_report"]
