"""The report: report.ipynb reads result records, build.py makes report.html and report.pdf."""
