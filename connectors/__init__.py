"""Knows clouds, knows no Django: contract, types, errors, plan, and one package per kind of cloud."""
