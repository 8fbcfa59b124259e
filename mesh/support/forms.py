"""The forms of statements that this version knows. A feature's file says what its form means; here it is named."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mesh.errors import RemoteError
from mesh.support import (
    circle_forms,
    consent,
    flags,
    ladder,
    listening,
    meetings,
    milestones,
    pins,
    pledges,
    shelf,
    stewards,
)
from mesh.support.statements import Rules
from mesh.wire import limits
from mesh.wire.codec import Record, decode
from mesh.wire.messages import StatementBody
from mesh.wire.statements import Form

_ALL: Final = (
    *(flags.RULES, pins.RULES, meetings.RULES),
    *(shelf.RESOURCES, shelf.RETIREMENTS, shelf.HELPED),
    *(milestones.MILESTONES, milestones.CONGRATULATIONS),
    *(ladder.QUIETS, ladder.LIFTS, ladder.FOLDINGS),
    consent.RULES,
    *circle_forms.RULES,
    *(listening.OFFERS, listening.ENDS),
    *(pledges.RULES, stewards.DUTY, stewards.TERM),
)
FORMS: Final[Mapping[int, Rules]] = MappingProxyType({rules.form: rules for rules in _ALL})


def read_value(body: StatementBody) -> Record | None:
    """Return what a statement says; None for a form that is not known here, and for what makes no sense in its form."""
    rules = FORMS.get(body.form)
    if rules is None:
        return None
    try:
        value = decode(rules.value, body.value, bytes_max=limits.STATEMENT_VALUE_BYTES_MAX)
        rules.check(body.subject, value)
    except RemoteError:
        return None
    return value


def form_name(form: int) -> str:
    """Return what a form is called; its number, for one that is not known here."""
    return Form(form).name.lower() if form in FORMS else str(form)
