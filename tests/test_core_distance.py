from concurrent.futures import ThreadPoolExecutor

import core_distance
import numpy as np
from hypothesis import given
from hypothesis import strategies as st


@given(st.integers(1, 20))
def test_each_message_is_answered_by_the_next_number(messages):
    box = np.zeros(1, np.int64)
    with ThreadPoolExecutor(2) as threads:
        for end in [threads.submit(core_distance.exchange, box, k, messages) for k in (0, 1)]:
            end.result(timeout=60)
    assert box[0] == 2 * messages


@given(st.permutations(range(1, 9)))
def test_turns_are_put_together_by_the_length_of_their_way(ways):
    found = {"threads": 2, "round_trip_ns": ways, "one_ms": [4 * w for w in ways], "many_ms": ways}
    rows = core_distance.distance_table(found).splitlines()[2:]
    medians = [row.split()[1] for row in rows]
    assert medians == ["2", "4", "6", "8"]  # 1.5, 3.5, …, rounded to even
    assert all("4.00×" in row for row in rows)
