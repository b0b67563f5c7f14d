"""Analysis of finished or running `adapt train` runs: one script per question.

report.py      how do these runs compare? (HTML page, tables, figures)
cost_model.py  what does the analytical performance model say about a run?
run_file.py    what does a run.h5 hold, and is it intact?
"""
