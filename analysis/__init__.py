"""Analysis of finished or running `adapt train` runs: one script per question.

report.py      how do these runs compare? (HTML page, tables, figures)
paper_table.py what does the paper say of each cell, and what do we get? (Markdown, CSV, LaTeX)
figures.py     what did the formats do, and what did the accuracy cost? (PNG, SVG)
strip.py       which part of a log is small enough to be committed?
cost_model.py  what does the analytical performance model say about a run?
compare.py     which settings are better, over seeds? (text, CSV, Markdown, LaTeX)
scaling.py     what would a run take on more ranks?
roofline.py    where does the time of a step go, beside what the machine could do?
ro_crate.py    what goes into an archive, and what describes it there?
verify.py      does the present code still train a log's first epoch to the same bits?
run_file.py    what does a run.h5 hold, and is it intact?
"""

import os

os.environ["HDF5_PLUGIN_PRELOAD"] = "::"  # the HDF5 library loads no filter plug-in, whatever a file asks for
