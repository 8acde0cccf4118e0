# ruff: noqa: F821
"""What CPython's queue.py does, in the guest language: see ``queues``.

The second part of ``threading.py``, whose functions it calls. ``self`` is a list:

====  ==========================================================================
0     mutex, a Lock
1-3   the conditions not_empty, not_full, all_tasks_done
4     maxsize
5     unfinished tasks
6     kind: 0 first in first out, 1 last in first out, 2 least first
7     the items
====  ==========================================================================

Source: CPython Lib/queue.py, Lib/heapq.py (3.11).
"""

from queue import Empty, Full


def queue_put(self, item, block, timeout):
    with self[0]:
        maxsize = self[4]
        if maxsize > 0:
            if not block:
                if len(self[7]) >= maxsize:
                    raise Full
            elif timeout is None:
                while len(self[7]) >= maxsize:
                    condition_wait(self[2], None)
            elif timeout < 0:
                raise ValueError("'timeout' must be a non-negative number")
            else:
                endtime = monotonic() + timeout
                while len(self[7]) >= maxsize:
                    remaining = endtime - monotonic()
                    if remaining <= 0.0:
                        raise Full
                    condition_wait(self[2], remaining)
        self[7].append(item)
        if self[6] == 2:
            queue_sift_down(self[7], 0, len(self[7]) - 1)
        self[5] += 1
        condition_notify(self[1], 1)


def queue_get(self, block, timeout):
    with self[0]:
        if not block:
            if not self[7]:
                raise Empty
        elif timeout is None:
            while not self[7]:
                condition_wait(self[1], None)
        elif timeout < 0:
            raise ValueError("'timeout' must be a non-negative number")
        else:
            endtime = monotonic() + timeout
            while not self[7]:
                remaining = endtime - monotonic()
                if remaining <= 0.0:
                    raise Empty
                condition_wait(self[1], remaining)
        if self[6] == 0:
            item = self[7].pop(0)
        else:
            item = self[7].pop()
            if self[6] == 2 and self[7]:
                last = item
                item = self[7][0]
                self[7][0] = last
                queue_sift_up(self[7], 0)
        condition_notify(self[2], 1)
        return item


def queue_sift_down(heap, start, place):
    item = heap[place]
    while place > start:
        parent_place = (place - 1) >> 1
        parent = heap[parent_place]
        if not item < parent:
            break
        heap[place] = parent
        place = parent_place
    heap[place] = item


def queue_sift_up(heap, place):
    end = len(heap)
    start = place
    item = heap[place]
    child = 2 * place + 1
    while child < end:
        right = child + 1
        if right < end and not heap[child] < heap[right]:
            child = right
        heap[place] = heap[child]
        place = child
        child = 2 * place + 1
    heap[place] = item
    queue_sift_down(heap, start, place)


def queue_task_done(self):
    with self[0]:
        unfinished = self[5] - 1
        if unfinished <= 0:
            if unfinished < 0:
                raise ValueError("task_done() called too many times")
            condition_notify_all(self[3])
        self[5] = unfinished


def queue_join(self):
    with self[0]:
        while self[5]:
            condition_wait(self[3], None)


def queue_qsize(self):
    with self[0]:
        return len(self[7])


def queue_empty(self):
    with self[0]:
        return not self[7]


def queue_full(self):
    with self[0]:
        return 0 < self[4] <= len(self[7])
