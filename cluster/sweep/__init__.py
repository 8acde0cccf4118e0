"""The points of an experiment run, each on a local engine of its own, several at a time.

``measure`` runs one point. ``workers`` are who runs them: this process, several, or tasks of Ray
(``ray_workers``). ``directory`` is where each result is set down as it comes; ``drive`` leads from
an experiment to a complete directory, and ``table`` makes one file of it. ``comparing`` tells how
points differ, and how sure that is (``intervals``).

What comes of a sweep does not depend on who ran it: results are in the order of the points, a point
is the same run in any process, and nothing of the host gets into a result.
"""
