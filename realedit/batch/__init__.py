"""Makes the same edits of many photos: one model per process, one record per photo. A rerun continues.

A photo that cannot be edited does not stop the others: its record says why, and a rerun tries it again. A
record's key stands for everything that decides the edited photo; a photo that has a record, and files as that
run wrote them, is not done again. Files are noted in the journal before they are written. So a rerun knows by
their content those that an interrupt left without a record, and replaces them.
"""

from realedit.batch.records import JOURNAL, PhotoRecord, WriteRecord
from realedit.batch.run import Editor, edit_photos, write_outputs
from realedit.batch.tasks import Task, Wanted, skipped, tasks_for, tasks_of

__all__ = [
    "JOURNAL",
    "Editor",
    "PhotoRecord",
    "Task",
    "Wanted",
    "WriteRecord",
    "edit_photos",
    "skipped",
    "tasks_for",
    "tasks_of",
    "write_outputs",
]
