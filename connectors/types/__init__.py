"""What goes into a connector and what comes out: plain frozen data, no behaviour, no Django.

Amounts are integers in base units of the catalog (milli-vCPU, MiB, pieces); ``UNLIMITED`` is -1 and never
the same as 0. Times are aware UTC datetimes, except in spans: there they are whole epoch seconds.
"""

from connectors.types.base import UNLIMITED, Endpoint, Mode, Role, Section, Wanted
from connectors.types.changes import Applied, Change, ChangeKind, NativeResource, Outcome, Takes
from connectors.types.found import (
    FoundAccount,
    FoundLimit,
    FoundMember,
    FoundTenancy,
    FoundWork,
    Scope,
    SectionState,
    Survey,
)
from connectors.types.health import EntryFile, IssuedSecret, Probe, ProofFact, Right, ServiceVersion
from connectors.types.usage import Accuracy, Deliveries, Delivery, KnownThing, Meter, SourceResult, Thing, UsageSpan
from connectors.types.wanted import AccountRef, EndedMember, Federated, WantedLimit, WantedMember, WantedTenancy

__all__ = [
    "UNLIMITED",
    "AccountRef",
    "Accuracy",
    "Applied",
    "Change",
    "ChangeKind",
    "Deliveries",
    "Delivery",
    "EndedMember",
    "Endpoint",
    "EntryFile",
    "Federated",
    "FoundAccount",
    "FoundLimit",
    "FoundMember",
    "FoundTenancy",
    "FoundWork",
    "IssuedSecret",
    "KnownThing",
    "Meter",
    "Mode",
    "NativeResource",
    "Outcome",
    "Probe",
    "ProofFact",
    "Right",
    "Role",
    "Scope",
    "Section",
    "SectionState",
    "ServiceVersion",
    "SourceResult",
    "Survey",
    "Takes",
    "Thing",
    "UsageSpan",
    "Wanted",
    "WantedLimit",
    "WantedMember",
    "WantedTenancy",
]
