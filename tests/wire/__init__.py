"""Loopback servers that speak the providers' real protocols, with fault switches and a ledger."""
