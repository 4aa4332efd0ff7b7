"""The manager graph as a Mermaid figure, drawn by LangGraph from the graph itself."""

from __future__ import annotations

from agents.graph import build


def graph_figure() -> str:
    """A fenced Mermaid block; dashed arrows are choices."""
    return f"```mermaid\n{build().compile().get_graph().draw_mermaid().strip()}\n```"
