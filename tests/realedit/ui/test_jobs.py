"""Jobs run one after the other, tell what happens, and can be cancelled."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from realedit.errors import ObjectNotFoundError, RealEditError, Sentence
from realedit.ui.jobs import Job, JobQueue, JobState

SOON = 10.0


@pytest.fixture
def queue() -> Iterator[JobQueue]:
    found = JobQueue("test")
    yield found
    found.close()


def job(work: Any = lambda job, progress: {}) -> Job:
    return Job("me", "test", work)


def names(one: Job) -> list[str]:
    return [event.name for event in one.events()]


def test_a_job_tells_its_stages_in_their_order_and_its_result_last(queue: JobQueue) -> None:
    def work(job: Job, progress: Any) -> Mapping[str, Any]:
        progress("looking", 0, 2)
        progress("looking", 1, 2)
        return {"answer": 42}

    one = queue.add(job(work))
    assert one.wait(SOON)
    assert one.state is JobState.DONE
    assert one.result == {"answer": 42}
    assert names(one) == ["queued", "stage", "stage", "done"]
    assert [event.number for event in one.events()] == [1, 2, 3, 4]
    assert one.events(after=3)[0].data == {"answer": 42}


def test_a_device_does_one_job_at_a_time_in_their_order(queue: JobQueue) -> None:
    order: list[int] = []
    together = threading.Semaphore(1)

    def work(number: int) -> Any:
        def do(job: Job, progress: Any) -> Mapping[str, Any]:
            assert together.acquire(blocking=False)
            order.append(number)
            together.release()
            return {}

        return do

    jobs = [queue.add(job(work(number))) for number in range(20)]
    assert all(one.wait(SOON) for one in jobs)
    assert order == list(range(20))
    assert all(one.state is JobState.DONE for one in jobs)


def test_a_running_job_that_is_cancelled_counts_as_cancelled_at_once_and_stops_at_its_next_stage(
    queue: JobQueue,
) -> None:
    begun, go_on, went_on = threading.Event(), threading.Event(), threading.Event()

    def work(job: Job, progress: Any) -> Mapping[str, Any]:
        begun.set()
        assert go_on.wait(SOON)
        progress("next", 0, 0)
        went_on.set()
        return {}

    one = queue.add(job(work))
    assert begun.wait(SOON)
    one.cancel()
    assert one.state is JobState.CANCELLED
    go_on.set()
    after = queue.add(job())
    assert after.wait(SOON)
    assert not went_on.is_set()
    assert names(one)[-1] == "cancelled"


def test_a_waiting_job_that_is_cancelled_is_never_begun(queue: JobQueue) -> None:
    go_on = threading.Event()
    first = queue.add(job(lambda job, progress: {"waited": go_on.wait(SOON)}))
    ran: list[int] = []
    second = queue.add(job(lambda job, progress: ran.append(1) or {}))
    assert queue.ahead_of(second) == 1
    second.cancel()
    go_on.set()
    assert queue.add(job()).wait(SOON)
    assert first.state is JobState.DONE
    assert not ran


def test_what_goes_wrong_is_told_with_its_way_out(queue: JobQueue) -> None:
    def work(job: Job, progress: Any) -> Mapping[str, Any]:
        raise ObjectNotFoundError(
            Sentence("no 'mug' found", "not_in_other_photo"), "use another word", detail="peak 0.1"
        )

    one = queue.add(job(work))
    assert one.wait(SOON)
    assert one.state is JobState.FAILED
    assert one.error == {
        "kind": "ObjectNotFound",
        "key": "not_in_other_photo",
        "exit_code": 4,
        "message": "no 'mug' found",
        "hint": "use another word",
        "detail": "peak 0.1",
    }


def test_an_unexpected_error_says_nothing_of_the_inside_and_the_queue_goes_on(
    queue: JobQueue, caplog: pytest.LogCaptureFixture
) -> None:
    def work(job: Job, progress: Any) -> Mapping[str, Any]:
        raise ZeroDivisionError("/secret/path")

    one = queue.add(job(work))
    assert one.wait(SOON)
    assert one.error is not None
    assert "secret" not in str(one.error)
    assert "secret" in caplog.text
    assert queue.add(job()).wait(SOON)


def test_a_closed_queue_cancels_what_waits_and_takes_nothing_more() -> None:
    queue = JobQueue("test")
    begun, go_on = threading.Event(), threading.Event()

    def work(job: Job, progress: Any) -> Mapping[str, Any]:
        begun.set()
        go_on.wait(SOON)
        progress("next", 0, 0)
        return {}

    running = queue.add(job(work))
    waiting = queue.add(job())
    assert begun.wait(SOON)
    threading.Timer(0.05, go_on.set).start()
    queue.close()
    assert running.state is waiting.state is JobState.CANCELLED
    with pytest.raises(RealEditError, match="stopping"):
        queue.add(job())
