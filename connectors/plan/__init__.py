"""The pure planner: wanted + found + policy -> ordered changes with reasons. No I/O, no clock, no chance.

There is one path for provisioning, repair, quota change and goodbye: what differs is only what is wanted. A
field is compared only if we own it: our tag, whether the tenancy is enabled, the roles the policy maps, the
limits that are wanted. Everything else that is found and was not caused by us is told as drift and left alone.
"""

from connectors.plan.found import Found
from connectors.plan.planner import ORDER, plan_cloud, plan_tenancy
from connectors.plan.policy import Policy, suspect_sections
from connectors.plan.results import CloudPlan, Drift, DriftKind, HeldChange, Hold, TenancyPlan

__all__ = [
    "ORDER",
    "CloudPlan",
    "Drift",
    "DriftKind",
    "Found",
    "HeldChange",
    "Hold",
    "Policy",
    "TenancyPlan",
    "plan_cloud",
    "plan_tenancy",
    "suspect_sections",
]
