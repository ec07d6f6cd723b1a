"""Grades the exercises: compares what a blank returns with paper, loops, measured slopes and the
library, and names the mistake that a wrong answer looks like.
"""
