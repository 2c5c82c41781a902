"""Child processes: how they end."""

import threading

from kanji_tui.system.child import Child


def test_a_child_whose_answer_a_thread_awaits_is_ended_without_that_answer() -> None:
    child = Child("signal:pause", pipes=True)  # it never answers
    reading = threading.Event()

    def read() -> None:
        reading.set()
        child.answers.readline()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reading.wait()
    reader.join(0.1)  # now it waits for the pipe
    closing = threading.Thread(target=child.close, daemon=True)
    closing.start()
    closing.join(60)
    assert not closing.is_alive()
