"""What the point writes down: the hardware access log and the incident sheets, as typed entries over the ledger."""
