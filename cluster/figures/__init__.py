"""Figures for papers, and the page of a sweep: ``smplab report`` beyond the page of a run.

``timeline`` draws one run (who ran where, states of tasks, runqueues, waits), ``curves`` makes of a
sweep what is to be drawn: of each measure a panel, in it a line for each combination of the axes
that are not along the bottom, with 95 % intervals of the mean over the seeds. Both a figure of
matplotlib (``panels``) and the page (``sweep_page``, ``charts``), which needs no matplotlib, are
made of that.

``library`` is where matplotlib is loaded and how it is made to write the same bytes each time:
nothing of the host gets into a file, no date, no settings of the user, no random id, and texts
stay texts. Another version of matplotlib may draw otherwise.
"""
