"""What can be wrong with what somebody asks of the simulator."""

from mesh.errors import LocalError


class PlanError(LocalError):
    """A plan, a scenario's file or a parameter that cannot be carried out; says where and why."""

    code = "E-SIM"


class NotYet(Exception):
    """A step speaks of something that has not come to be: it is passed over."""
