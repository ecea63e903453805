"""The process that owns time and hardware: plans, records, checks, archives, and answers orders from the screens."""
