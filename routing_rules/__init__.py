"""Rule tables: which ERP owns a new document, by business unit and geography, and why.

Pure: nothing here does I/O but reading the tables of a rulebook, and nothing of ours is imported.
"""

from routing_rules.analysis import Proof, prove
from routing_rules.analysis_findings import Finding, FindingCode, RowPlace, Severity
from routing_rules.answers import Conflict, Decision, Gap
from routing_rules.calendar import Calendar, OpenWindow, Period, PeriodUnknown
from routing_rules.calendars import calendar_of, calendars_of
from routing_rules.canonical_text import canonical_files, rulebook_from_canonical
from routing_rules.clearing import ClearingAccount, account_for, clearing_accounts
from routing_rules.complaints import Complaint, RulebookInvalid
from routing_rules.coverage import Coverage, RowCoverage, coverage_of
from routing_rules.decide import RowWithoutTarget, decide
from routing_rules.decomposition import TooManyCells
from routing_rules.difference import Change, differences
from routing_rules.dimensions import AmountRange, Choice, DateRange, NodeSet, Tree, Witness
from routing_rules.examples import ExampleFailure, run_examples
from routing_rules.explanation import Explanation, MatchedRow, NearRow, ShareEffect, why_not
from routing_rules.facts import FACTS_SCHEMA_VERSION, Facts, FactsInvalid
from routing_rules.follow_ups import Capabilities
from routing_rules.index import TableIndex, UnknownNode
from routing_rules.loader import load_rulebook, parse_rulebook
from routing_rules.model import (
    DOMAINS,
    MASTER_DOMAINS,
    OPERATIONS,
    Budget,
    Outcome,
    Overlay,
    Row,
    RuleTable,
    Side,
    Stage,
    System,
)
from routing_rules.near_miss import ChangedFact, NearMiss, miss_of
from routing_rules.rulebook import (
    CompanyCode,
    DomainNotServed,
    Example,
    Governance,
    LatePolicy,
    Rulebook,
    Target,
    version_of,
)
from routing_rules.share import share_bucket
from routing_rules.simulation import Replay, simulate
from routing_rules.simulation_records import RecordedDocument, read_documents
from routing_rules.simulation_result import Simulation
from routing_rules.slices import SliceMap, SliceState

__all__ = [
    "DOMAINS",
    "FACTS_SCHEMA_VERSION",
    "MASTER_DOMAINS",
    "OPERATIONS",
    "AmountRange",
    "Budget",
    "Calendar",
    "Capabilities",
    "Change",
    "ChangedFact",
    "Choice",
    "ClearingAccount",
    "CompanyCode",
    "Complaint",
    "Conflict",
    "Coverage",
    "DateRange",
    "Decision",
    "DomainNotServed",
    "Example",
    "ExampleFailure",
    "Explanation",
    "Facts",
    "FactsInvalid",
    "Finding",
    "FindingCode",
    "Gap",
    "Governance",
    "LatePolicy",
    "MatchedRow",
    "NearMiss",
    "NearRow",
    "NodeSet",
    "OpenWindow",
    "Outcome",
    "Overlay",
    "Period",
    "PeriodUnknown",
    "Proof",
    "RecordedDocument",
    "Replay",
    "Row",
    "RowCoverage",
    "RowPlace",
    "RowWithoutTarget",
    "RuleTable",
    "Rulebook",
    "RulebookInvalid",
    "Severity",
    "ShareEffect",
    "Side",
    "Simulation",
    "SliceMap",
    "SliceState",
    "Stage",
    "System",
    "TableIndex",
    "Target",
    "TooManyCells",
    "Tree",
    "UnknownNode",
    "Witness",
    "account_for",
    "calendar_of",
    "calendars_of",
    "canonical_files",
    "clearing_accounts",
    "coverage_of",
    "decide",
    "differences",
    "load_rulebook",
    "miss_of",
    "parse_rulebook",
    "prove",
    "read_documents",
    "rulebook_from_canonical",
    "run_examples",
    "share_bucket",
    "simulate",
    "version_of",
    "why_not",
]
