"""How fast the project is, against what its user would do otherwise: one program per topic.

``python -m benchmarks`` runs them all and writes the tables of ``docs/performance.md``;
``python -m benchmarks.NAME`` runs one. A program has a ``main`` that prints a Markdown table and
takes ``--rounds N`` and ``--json FILE``, and ``MINUTES``, about how long it takes.
"""
