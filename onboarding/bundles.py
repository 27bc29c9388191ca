"""Amounts to start a request from. Pure: no Django. Every line stays the asker's to change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from quotas.catalog import RESOURCES, amount_name, amount_parse


@dataclass(frozen=True, slots=True)
class Bundle:
    """`amounts` by resource key, in base units; what is not named stays at the catalog's default."""

    key: str
    label: str
    amounts: Mapping[str, int]

    @property
    def says(self) -> str:
        """ "8 vCPU, 32 GiB, 500 GiB"."""
        return ", ".join(
            amount_name(RESOURCES[key], amount) for key, amount in self.amounts.items() if RESOURCES[key].unit.symbol
        )


def _bundle(key: str, label: str, amounts: Mapping[str, str]) -> Bundle:
    return Bundle(
        key, label, MappingProxyType({name: amount_parse(RESOURCES[name], text) for name, text in amounts.items()})
    )


_ALL = (
    _bundle(
        "small",
        "Small",
        {"compute.vcpu": "4", "compute.memory": "16", "storage.volume": "100", "network.floating_ips": "1"},
    ),
    _bundle(
        "medium",
        "Medium",
        {"compute.vcpu": "16", "compute.memory": "64", "storage.volume": "1,000", "network.floating_ips": "2"},
    ),
    _bundle(
        "large",
        "Large",
        {
            "compute.vcpu": "64",
            "compute.memory": "256",
            "compute.instances": "40",
            "storage.volume": "10,000",
            "storage.volumes": "50",
            "network.floating_ips": "4",
            "network.ports": "200",
        },
    ),
    _bundle(
        "storage",
        "Mostly storage",
        {"compute.vcpu": "2", "compute.memory": "8", "storage.volume": "20,000", "storage.volumes": "40"},
    ),
)

BUNDLES: Mapping[str, Bundle] = MappingProxyType({each.key: each for each in _ALL})
