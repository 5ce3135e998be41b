"""Finds the function that does a step, by the step's type.

:func:`do` is one function with a version for each kind of edit (:func:`functools.singledispatch`). A version
is a function with ``@do.register`` above it; the annotation of its first argument says which kind it does::

    @do.register
    def remove(step: Remove, work: Work) -> Outcome:
        ...

The annotation is read when the module is loaded, so the kind and :class:`~realedit.steps.work.Work` have to
be imported at the top, not under ``TYPE_CHECKING``. A new module with such functions is imported in
``realedit/steps/__init__.py``; by_text, geometric and looks already are.

A step function works in this order: ``work.invert`` and ``work.find`` (where the object is), the edit in
pixels, :func:`~realedit.steps.sampling.resample_anchor` (what the model makes of it), ``work.laid_over``
(back into the photo), and an :class:`~realedit.steps.work.Outcome`. Most kinds share all but the first part:
:mod:`realedit.steps.geometric` ends in ``_put``, which puts pieces of the photo down (``reshape`` is the
example of an object whose own pixels change first), :mod:`realedit.steps.looks` in ``carry_look``.
"""

from __future__ import annotations

from functools import singledispatch

from realedit.edits.plan import EditStep
from realedit.steps.work import Outcome, Work


@singledispatch
def do(step: EditStep, work: Work) -> Outcome:
    """Does one step.

    Args:
        step: what to do.
        work: the model, the request, and the photo as the steps before have left it.

    Raises:
        RealEditError: the step cannot be done with this photo.
        TypeError: no function is registered for this kind of step.
    """
    raise TypeError(f"no function is registered for a step of type {type(step).__name__}")
