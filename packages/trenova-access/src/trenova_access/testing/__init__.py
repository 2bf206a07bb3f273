"""Issuers of tokens for tests, over real HTTP on loopback: one that publishes its keys, one that signs people in."""

from trenova_access.testing._issuer import Issuer
from trenova_access.testing._provider import Provider

__all__ = ["Issuer", "Provider"]
