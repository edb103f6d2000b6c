"""Records: the safe kind, and how a handler refines one without touching the caller's.

A `SafeRecord` holds plain JSON values that may leave the process. Being safe is a *type*: an
attribute could be forged through ``extra``.

A `Stage` is a filter whose outcome depends on the record alone (correlation, errors,
allowlist). `refine` runs a handler's filters on a copy, and runs equal leading stages only once
a record, however many handlers ask.
"""

from __future__ import annotations

from crmlogging.records.calls import (
    LAST_SECOND,
    NO_ARGUMENTS,
    Call,
    Spoken,
    call_of,
    delivery_to,
    is_given,
    is_of_call,
    note_speaker,
    spoken_now,
)
from crmlogging.records.identity import ids, new_id, notice
from crmlogging.records.making import TASKS, make_record, task_name
from crmlogging.records.orders import Order, handlers_of, is_held, order_of, refine, takes_calls
from crmlogging.records.safe_record import (
    MOMENTS,
    STANDARD_ATTRIBUTES,
    DeferredRecord,
    Moment,
    Outline,
    SafeRecord,
    Written,
    copy_of,
    deferred,
)
from crmlogging.records.stages import Stage, filterable, record_id, run, seen

__all__ = [
    "LAST_SECOND",
    "MOMENTS",
    "NO_ARGUMENTS",
    "STANDARD_ATTRIBUTES",
    "TASKS",
    "Call",
    "DeferredRecord",
    "Moment",
    "Order",
    "Outline",
    "SafeRecord",
    "Spoken",
    "Stage",
    "Written",
    "call_of",
    "copy_of",
    "deferred",
    "delivery_to",
    "filterable",
    "handlers_of",
    "ids",
    "is_given",
    "is_held",
    "is_of_call",
    "make_record",
    "new_id",
    "note_speaker",
    "notice",
    "order_of",
    "record_id",
    "refine",
    "run",
    "seen",
    "spoken_now",
    "takes_calls",
    "task_name",
]
