"""The writing desk: from result records to report/PROFILE/report.html and report.pdf. `python -m report` is what `make report` calls."""
