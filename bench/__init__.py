"""Benchmarks: how fast the city is, as ratios to limits that are measured in the same run.

A rate alone says how busy the machine was. So everything is raced in interleaved rounds, and what is told is the median
of the rounds' ratios. A bench is a module with `figures(options)`; `bench.commands` lists them.
"""
