"""Reading what was written: the books filtered, the chain proved, and both taken to another machine."""
