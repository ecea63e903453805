"""The fault lab: what must hold when the power goes, shown at every write."""
