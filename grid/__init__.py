"""The machine room: which runs are stale, their notebooks on Dask, live progress. `python -m grid` is what `make all` calls."""
