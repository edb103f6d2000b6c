"""Looking at what handlers have left on disk: logs, archives, journals, spools. Changes nothing.

    examine(DIR)  ->  folders  ->  logs       lines, archives, retention, record ids
                               ->  waiting    segments, objects on their way, what was set aside
                               ->  safety     modes, owners, links
                  ->  Report: findings, of which some are problems, and counts

Whatever lies there, memory stays below 64 MB: lines are bounded, and so is what archives expand to.
"""
