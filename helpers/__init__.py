"""Helpers that the notebooks call.

Who may import whom, left to right: paths <- datasets, models <- training <- evaluation <- results <- grid, report.
"""
