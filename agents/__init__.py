"""Managers that evolve criteria and workers that judge pairs by them; no database, queue or HTTP."""
