"""``smplab top``: a run as it goes, or as it went.

``machine`` puts together from records what there is at a virtual time; ``source`` has the records,
of a run that is over or goes on; ``player`` goes along them, in both directions; ``view`` writes
what there is as lines, and ``app`` shows them on a terminal.
"""
