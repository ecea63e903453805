"""Setting the kit up on a machine that never saw it. Standard library only: nothing is installed yet when this runs."""
