"""Seeded bugs: each is one small change to one function or definition, and some test must notice it.

python -m tests.mutants                 every mutant
python -m tests.mutants --sample 5      five of them, others each day of the year
python -m tests.mutants NAME…           those
python -m tests.mutants --list          names and what they break
"""
