"""A criteria set as JSON: field by field what stands in `criteria.yaml`; `read_set` gives back the same version."""

from __future__ import annotations

import yaml

from agents.criteria_set import CriteriaSet
from services.criteria_file import criteria_yaml
from services.exchange.exported import Exported
from services.exchange.words import json_text


def criteria_json(criteria_set: CriteriaSet) -> Exported:
    """Everything that the set holds: words, weights, evidence, version and lineage."""
    body = yaml.safe_load(criteria_yaml(criteria_set))
    return Exported(target="json", version=criteria_set.version, text=json_text(body))
