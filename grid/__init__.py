"""What `make all` starts: which runs are stale, and their notebooks, executed on Dask."""
