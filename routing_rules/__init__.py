"""Rule tables: which ERP owns a new document, by business unit and geography, and why.

Pure: nothing here does I/O but reading the tables of a rulebook, and nothing of ours is imported.
"""

from routing_rules.complaints import Complaint, RulebookInvalid
from routing_rules.decide import RowWithoutTarget, decide
from routing_rules.dimensions import AmountRange, Choice, DateRange, NodeSet, Tree
from routing_rules.examples import ExampleFailure, run_examples
from routing_rules.explanation import Explanation, MatchedRow, NearRow, ShareEffect, why_not
from routing_rules.facts import FACTS_SCHEMA_VERSION, Facts, FactsInvalid
from routing_rules.index import TableIndex, UnknownNode
from routing_rules.loader import load_rulebook, parse_rulebook
from routing_rules.model import (
    DOMAINS,
    MASTER_DOMAINS,
    OPERATIONS,
    Budget,
    Conflict,
    Decision,
    Gap,
    Outcome,
    Overlay,
    Row,
    RuleTable,
    Side,
    Stage,
    System,
)
from routing_rules.rulebook import (
    CompanyCode,
    DomainNotServed,
    Example,
    Governance,
    LatePolicy,
    Rulebook,
    Target,
)
from routing_rules.share import share_bucket

__all__ = [
    "DOMAINS",
    "FACTS_SCHEMA_VERSION",
    "MASTER_DOMAINS",
    "OPERATIONS",
    "AmountRange",
    "Budget",
    "Choice",
    "CompanyCode",
    "Complaint",
    "Conflict",
    "DateRange",
    "Decision",
    "DomainNotServed",
    "Example",
    "ExampleFailure",
    "Explanation",
    "Facts",
    "FactsInvalid",
    "Gap",
    "Governance",
    "LatePolicy",
    "MatchedRow",
    "NearRow",
    "NodeSet",
    "Outcome",
    "Overlay",
    "Row",
    "RowWithoutTarget",
    "RuleTable",
    "Rulebook",
    "RulebookInvalid",
    "ShareEffect",
    "Side",
    "Stage",
    "System",
    "TableIndex",
    "Target",
    "Tree",
    "UnknownNode",
    "decide",
    "load_rulebook",
    "parse_rulebook",
    "run_examples",
    "share_bucket",
    "why_not",
]
